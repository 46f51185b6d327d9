//! The short words of the golden files, each into its type.

use multinic_model::{
    InstanceId, Interface, InterfaceAddress, InterfaceId, MacAddress, Mtu, NetworkId, PortId, ProjectId, SubnetId,
    SubnetSelector,
    inventory::{FixedIp, Port, PortStatus, Server, Subnet, SubnetCandidate, SubnetLookup, UnreadablePort},
};
use multinic_planner::Claim;
use uuid::Uuid;

const MAC: &str = "02:00:00:00:00";
const PORT: &str = "00000000-0000-0000-0000-";

/// `biz` and `other` are projects.
pub fn project(name: &str) -> ProjectId {
    ProjectId::new(Uuid::from_u128(
        name.bytes().fold(0, |sum, byte| sum * 256 + u128::from(byte)),
    ))
}

pub fn port_id(id: u32) -> PortId {
    PortId::new(Uuid::from_u128(id.into()))
}

/// The other way round, for what is written.
pub fn short(text: &str) -> String {
    if let Some(port) = text.strip_prefix(PORT) {
        return format!("port-{}", u64::from_str_radix(port, 16).unwrap());
    }
    text.replace(MAC, "")
}

pub fn mac(text: &str) -> MacAddress {
    format!("{MAC}{text}")
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `instance node`
pub fn claim(text: &str) -> Claim {
    let (instance, node) = text.split_once(' ').unwrap();
    Claim {
        instance_id: instance.parse().unwrap(),
        node_name: node.parse().unwrap(),
    }
}

/// `name`, `name metadata=value` or `metadata=value`; the name may be empty.
pub fn server(text: &str) -> Server {
    let (name, metadata) = text
        .split_once("metadata=")
        .map_or((text, None), |(name, value)| (name, Some(value)));
    Server {
        name: name.trim_end().to_owned(),
        metadata_node_name: metadata.map(ToOwned::to_owned),
    }
}

/// By id: `cidr mtu`. By name (`name:x`): `id cidr mtu`. Both: `not-found`, `unusable problem`, `ambiguous id id`.
pub fn subnet(key: &str, text: &str) -> (SubnetSelector, SubnetLookup) {
    let (selector, text) = match key.strip_prefix("name:") {
        Some(name) => (SubnetSelector::Name(name.to_owned()), text.to_owned()),
        None => (SubnetSelector::Id(key.parse().unwrap()), format!("{key} {text}")),
    };
    let words: Vec<_> = text.split(' ').collect();
    let lookup = match words.as_slice() {
        ["not-found"] | [_, "not-found"] => SubnetLookup::NotFound,
        ["unusable" | _, "unusable", problem @ ..] => SubnetLookup::Unusable {
            problem: problem.join(" "),
        },
        ["ambiguous", ids @ ..] => SubnetLookup::Ambiguous(ids.iter().map(|id| candidate(id)).collect()),
        [id, cidr, mtu] => SubnetLookup::Found(Subnet {
            id: id.parse().unwrap(),
            network_id: NetworkId::new(Uuid::nil()),
            cidr: cidr.parse().unwrap(),
            mtu: mtu.parse::<u32>().unwrap().try_into().unwrap(),
        }),
        _ => panic!("subnet {key}: {text}"),
    };
    (selector, lookup)
}

fn candidate(id: &str) -> SubnetCandidate {
    SubnetCandidate {
        id: id.parse().unwrap(),
        network_id: NetworkId::new(Uuid::nil()),
        cidr: "10.9.0.0/24".parse().unwrap(),
    }
}

/// `instance :mac STATUS [@created] subnet=address…`; without `@`, the port's number says when it was made.
pub fn port(id: u32, text: &str) -> Port {
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap_or_else(|| panic!("port {id}: {text}"));
    let device_id: InstanceId = next().parse().unwrap();
    let mac_address = mac(next());
    let status: PortStatus = next().parse().unwrap();
    let mut port = Port {
        mac_address,
        device_id,
        status,
        fixed_ips: Vec::new(),
        created_at: id.into(),
    };
    for word in words {
        match (word.strip_prefix('@'), word.split_once('=')) {
            (Some(created), _) => port.created_at = created.parse().unwrap(),
            (None, Some((subnet, address))) => port.fixed_ips.push(FixedIp {
                subnet_id: subnet.parse::<SubnetId>().unwrap(),
                address: address.parse().unwrap(),
            }),
            (None, None) => panic!("port {id}: {word}"),
        }
    }
    port
}

/// `instance problem`
pub fn unreadable(id: &str, text: &str) -> UnreadablePort {
    let (device, problem) = text.split_once(' ').unwrap();
    UnreadablePort {
        id: id.to_owned(),
        device_id: device.parse().unwrap(),
        problem: problem.to_owned(),
    }
}

/// `id :mac address/prefix mtu`
pub fn interface(text: &str) -> Interface {
    let words: Vec<_> = text.split(' ').collect();
    let [id, mac_address, address, mtu] = words.as_slice() else {
        panic!("interface {text}");
    };
    let (host, _) = address.split_once('/').unwrap();
    Interface {
        id: InterfaceId::new(id.parse().unwrap()).unwrap(),
        mac_address: mac(mac_address),
        address: InterfaceAddress::new(host.parse().unwrap(), address.parse().unwrap()).unwrap(),
        mtu: Mtu::try_from(mtu.parse::<u32>().unwrap()).unwrap(),
    }
}

//! The body of a POST: the contract, key for key, node by node.
//!
//! Only the outermost list is required of the whole body; what is wrong with one node is that node's fault alone. Nodes are
//! cut out of the body first and parsed one by one, so that a strange body costs no more memory than a plain one.

#[cfg(test)]
mod fuzz;
mod misread;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use axum::http::StatusCode;
use ipnet::IpNet;
use multinic_model::{InstanceId, Interface, InterfaceAddress, InterfaceId, MacAddress, Mtu, NodeConfig, NodeName};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Fault, Problem};
use crate::{object::Object, store::upsert::Candidate};
use misread::misread;
pub(super) use misread::typed;

/// One entry of the body.
#[derive(Debug)]
pub(super) enum Entry {
    Good(Candidate),
    /// Its nodeName as far as it can be read.
    Bad {
        node_name: String,
        fault: Fault,
    },
}

/// The most interfaces of one node.
const MAX_INTERFACES: usize = 256;

/// The greatest interface id: a MultiNicNodeConfig has 32 bits with a sign for it.
const MAX_ID: u32 = i32::MAX as u32;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NodeJson {
    node_name: NodeName,
    instance_id: InstanceId,
    interfaces: Vec<Object<InterfaceJson>>,
    #[serde(default)]
    revision: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InterfaceJson {
    id: InterfaceId,
    mac_address: MacAddress,
    address: IpAddr,
    cidr: IpNet,
    mtu: Mtu,
}

/// What each key takes, for people.
fn allowed(key: &str) -> Option<&'static str> {
    Some(match key {
        "nodeName" => "a DNS name of at most 253 characters of a-z, 0-9, '-' and '.'",
        "instanceId" => "1 to 128 visible ASCII characters without '/'",
        "interfaces" => "a list of at most 256 interfaces",
        "revision" => "the revision that this was made from, 0 for a new node; or nothing",
        "id" => "1 to 2147483647",
        "macAddress" => "a unicast MAC address such as 00:1a:2b:3c:4d:5e",
        "address" => "an IPv4 or IPv6 address",
        "cidr" => "a subnet such as 192.168.1.0/24",
        "mtu" => "68 to 65535",
        _ => return None,
    })
}

/// Parses the body; at most `max` nodes.
pub(super) fn parse(body: &[u8], max: usize) -> Result<Vec<Entry>, Problem> {
    let items = cut(body, max)?;
    let mut entries = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let text = item.get();
        if !text.starts_with('{') {
            let fault = Fault::new(format!("/{index}"), "each entry is a node config");
            return Err(Problem::bad(fault.found(text).allowed("an object")));
        }
        entries.push(entry(index, text));
    }
    refuse_doubles(&mut entries);
    Ok(entries)
}

fn cut(body: &[u8], max: usize) -> Result<Vec<&RawValue>, Problem> {
    let too_many = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let items = Items {
        max,
        too_many: &too_many,
    }
    .deserialize(&mut deserializer);
    let items = items.and_then(|items| deserializer.end().map(|()| items));
    items.map_err(|error| {
        if too_many.get() {
            let fault = Fault::new("body", "too many nodes").allowed(format!("at most {max} nodes"));
            let title = "The body is too large";
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title, fault.line()).with(fault);
        }
        let allowed = "a JSON list of node configs";
        Problem::bad(Fault::new("body", error.to_string()).allowed(allowed))
    })
}

struct Items<'c> {
    max: usize,
    too_many: &'c Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of node configs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == self.max {
                self.too_many.set(true);
                return Err(serde::de::Error::custom("too many nodes"));
            }
            items.push(item);
        }
        Ok(items)
    }
}

fn entry(index: usize, text: &str) -> Entry {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed: Result<NodeJson, _> = serde_path_to_error::deserialize(&mut deserializer);
    let checked = match parsed {
        Ok(node) => check(index, node),
        Err(error) => Err(misread(&format!("/{index}"), text, &error, allowed)),
    };
    checked.map_or_else(
        |fault| Entry::Bad {
            node_name: node_name(text),
            fault,
        },
        Entry::Good,
    )
}

/// The node's name, if that at least can be read.
fn node_name(text: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named<'a> {
        #[serde(borrow, default)]
        node_name: Option<&'a RawValue>,
    }
    let named: Option<Named<'_>> = serde_json::from_str(text).ok();
    let name = named.and_then(|named| serde_json::from_str::<String>(named.node_name?.get()).ok());
    name.unwrap_or_default().chars().take(NodeName::MAX_LEN).collect()
}

/// What the types alone do not say.
fn check(index: usize, node: NodeJson) -> Result<Candidate, Fault> {
    let list = format!("/{index}/interfaces");
    if node.interfaces.len() > MAX_INTERFACES {
        let fault = Fault::new(list, "too many interfaces").found(&node.interfaces.len().to_string());
        return Err(fault.allowed(allowed("interfaces").unwrap_or_default()));
    }
    let mut seen = Seen::default();
    let mut interfaces = Vec::with_capacity(node.interfaces.len());
    for (position, Object(json)) in node.interfaces.iter().enumerate() {
        let at = format!("{list}/{position}");
        if json.id.get() > MAX_ID {
            let fault = Fault::new(format!("{at}/id"), "too great").found(&json.id.to_string());
            return Err(fault.allowed(allowed("id").unwrap_or_default()));
        }
        let address = InterfaceAddress::new(json.address, json.cidr).map_err(|error| {
            let fault = Fault::new(format!("{at}/address"), error.to_string()).found(&json.address.to_string());
            fault.allowed(format!("an address of {}", json.cidr.trunc()))
        })?;
        seen.add(&at, json)?;
        interfaces.push(Interface {
            id: json.id,
            mac_address: json.mac_address,
            address,
            mtu: json.mtu,
        });
    }
    Ok(Candidate {
        config: NodeConfig {
            node_name: node.node_name,
            instance_id: node.instance_id,
            interfaces,
        },
        made_from: node.revision,
    })
}

/// What the earlier interfaces of a node have, and where.
#[derive(Default)]
struct Seen {
    ids: BTreeMap<InterfaceId, String>,
    macs: BTreeMap<MacAddress, String>,
    addresses: BTreeMap<IpAddr, String>,
}

impl Seen {
    fn add(&mut self, at: &str, json: &InterfaceJson) -> Result<(), Fault> {
        once(&mut self.ids, json.id, format!("{at}/id"))?;
        once(&mut self.macs, json.mac_address, format!("{at}/macAddress"))?;
        once(&mut self.addresses, json.address, format!("{at}/address"))
    }
}

fn once<T: Ord + fmt::Display>(seen: &mut BTreeMap<T, String>, value: T, at: String) -> Result<(), Fault> {
    if let Some(first) = seen.get(&value) {
        let fault = Fault::new(at, "another interface of the node has the same").found(&value.to_string());
        return Err(fault.other(first.clone()));
    }
    seen.insert(value, at);
    Ok(())
}

/// Of two entries for one node nobody can say which one is meant: neither is taken.
fn refuse_doubles(entries: &mut [Entry]) {
    let mut first: BTreeMap<NodeName, usize> = BTreeMap::new();
    let mut doubles: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Entry::Good(candidate) = entry
            && let Some(earlier) = first.get(&candidate.config.node_name)
        {
            doubles.extend([(*earlier, index), (index, *earlier)]);
        } else if let Entry::Good(candidate) = entry {
            first.insert(candidate.config.node_name.clone(), index);
        }
    }
    for (index, other) in doubles {
        if let Some(entry) = entries.get_mut(index)
            && let Entry::Good(candidate) = entry
        {
            let node_name = candidate.config.node_name.to_string();
            let fault = Fault::new(format!("/{index}/nodeName"), "another entry is for the same node");
            let fault = fault.found(&node_name).other(format!("/{other}/nodeName"));
            *entry = Entry::Bad { node_name, fault };
        }
    }
}

impl Entry {
    /// The candidate of a good entry.
    pub const fn candidate(&self) -> Option<&Candidate> {
        match self {
            Self::Good(candidate) => Some(candidate),
            Self::Bad { .. } => None,
        }
    }
}

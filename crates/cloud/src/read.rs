//! One reading: subnets, networks, servers and ports, put together into an inventory.

use std::collections::{BTreeMap, BTreeSet};

use futures::try_join;
use ipnet::IpNet;
use multinic_model::{
    InstanceId, Mtu, NetworkId, SubnetSelector, VmSelector,
    inventory::{Inventory, Subnet, SubnetCandidate, SubnetLookup, UnreadablePort},
};

use crate::{
    endpoints::{
        Lenient,
        networks::{self, NetworkRow},
        ports::{self, PortRow},
        servers::{self, Servers},
        subnets::{self, SubnetRow},
    },
    error::CloudError,
    execute::Access,
};

/// What a reading is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReadRequest {
    /// The target subnets of all configs of the project.
    pub subnets: BTreeSet<SubnetSelector>,
    /// The VMs of all configs of the project.
    pub vms: BTreeSet<VmSelector>,
}

pub(crate) type Rows<T> = BTreeMap<String, T>;

/// What came back, before it is put together.
pub(crate) struct Answers {
    pub(crate) subnets: Rows<SubnetRow>,
    pub(crate) networks: Rows<NetworkRow>,
    pub(crate) servers: Servers,
    pub(crate) ports: Rows<PortRow>,
}

/// Reads everything, or fails.
pub(crate) async fn read(access: &Access<'_>, request: &ReadRequest) -> Result<Inventory, CloudError> {
    let answers = if request.vms.len() <= ports::SERVERS_PER_REQUEST {
        servers_first(access, request).await?
    } else {
        side_by_side(access, request).await?
    };
    Ok(assemble(access, request, answers))
}

/// With few servers it pays to wait for their ids: Neutron then gives their ports only.
async fn servers_first(access: &Access<'_>, request: &ReadRequest) -> Result<Answers, CloudError> {
    let (servers, subnets) = try_join!(
        servers::read(access, &request.vms),
        subnets::read(access, &request.subnets)
    )?;
    let ids: Vec<_> = servers.keys().cloned().collect();
    let (networks, ports) = networks_and_ports(access, &subnets, Some(&ids)).await?;
    Ok(Answers {
        subnets,
        networks,
        servers,
        ports,
    })
}

async fn side_by_side(access: &Access<'_>, request: &ReadRequest) -> Result<Answers, CloudError> {
    let neutron = async {
        let subnets = subnets::read(access, &request.subnets).await?;
        let (networks, ports) = networks_and_ports(access, &subnets, None).await?;
        Ok((subnets, networks, ports))
    };
    let (servers, (subnets, networks, ports)) = try_join!(servers::read(access, &request.vms), neutron)?;
    Ok(Answers {
        subnets,
        networks,
        servers,
        ports,
    })
}

pub(crate) async fn networks_and_ports(
    access: &Access<'_>,
    subnets: &Rows<SubnetRow>,
    servers: Option<&[InstanceId]>,
) -> Result<(Rows<NetworkRow>, Rows<PortRow>), CloudError> {
    let network_ids: BTreeSet<_> = subnets.values().map(|row| row.network_id.as_str()).collect();
    let networks = networks::read(access, network_ids);
    if subnets.len() <= ports::SUBNETS_PER_REQUEST {
        let all: Vec<_> = subnets.keys().cloned().collect();
        return try_join!(networks, ports::read(access, &all, servers));
    }
    // A name such as "default" may be met in every project: their ports are not worth a request.
    let networks = networks.await?;
    let own: Vec<_> = in_scope(access, subnets, &networks).map(|row| row.id.clone()).collect();
    let ports = ports::read(access, &own, servers).await?;
    Ok((networks, ports))
}

/// The subnets of the project itself, of its networks, and of networks shared with it (the second half of the scope
/// check).
fn in_scope<'a>(
    access: &Access<'_>,
    subnets: &'a Rows<SubnetRow>,
    networks: &'a Rows<NetworkRow>,
) -> impl Iterator<Item = &'a SubnetRow> {
    let project = access.credentials.project;
    subnets.values().filter(move |row| {
        let network = networks.get(&row.network_id);
        row.project_id.parse() == Ok(project) || network.is_some_and(|network| network.is_for(project))
    })
}

pub(crate) fn assemble(access: &Access<'_>, request: &ReadRequest, answers: Answers) -> Inventory {
    let rows: Vec<_> = in_scope(access, &answers.subnets, &answers.networks).collect();
    let look_up = |selector: &SubnetSelector| {
        let matching: Vec<_> = rows.iter().copied().filter(|row| row.matches(selector)).collect();
        (selector.clone(), lookup(&matching, &answers.networks))
    };
    let mut inventory = Inventory {
        project: access.credentials.project,
        subnets: request.subnets.iter().map(look_up).collect(),
        servers: answers.servers,
        ports: BTreeMap::new(),
        unreadable: Vec::new(),
    };
    add_ports(&mut inventory, &answers.ports);
    inventory
}

fn lookup(matching: &[&SubnetRow], networks: &Rows<NetworkRow>) -> SubnetLookup {
    match matching {
        [] => SubnetLookup::NotFound,
        [row] => subnet(row, networks.get(&row.network_id))
            .map_or_else(|problem| SubnetLookup::Unusable { problem }, SubnetLookup::Found),
        several => {
            let mut candidates: Vec<_> = several.iter().filter_map(|row| candidate(row)).collect();
            candidates.sort();
            SubnetLookup::Ambiguous(candidates)
        }
    }
}

fn candidate(row: &SubnetRow) -> Option<SubnetCandidate> {
    let (network_id, cidr) = parts(row).ok()?;
    Some(SubnetCandidate {
        id: row.id.parse().ok()?,
        network_id,
        cidr,
    })
}

fn parts(row: &SubnetRow) -> Result<(NetworkId, IpNet), String> {
    let network_id = row.network_id.parse().map_err(|error| format!("{error}"))?;
    let cidr = row
        .cidr
        .good()
        .and_then(|cidr| cidr.parse().ok())
        .ok_or("its CIDR cannot be read")?;
    Ok((network_id, cidr))
}

fn subnet(row: &SubnetRow, network: Option<&NetworkRow>) -> Result<Subnet, String> {
    let (network_id, cidr) = parts(row)?;
    let network = network.ok_or_else(|| format!("its network {network_id} cannot be found"))?;
    let mtu = network.mtu.as_ref().and_then(Lenient::good);
    let mtu = mtu.ok_or_else(|| format!("its network {network_id} has no MTU"))?;
    let mtu = Mtu::try_from(*mtu).map_err(|error| format!("its network {network_id}: {error}"))?;
    Ok(Subnet {
        id: row.id.parse().map_err(|error| format!("{error}"))?,
        network_id,
        cidr,
        mtu,
    })
}

/// The ids of the subnets that were found.
pub(crate) fn found_subnets(inventory: &Inventory) -> Vec<String> {
    let found = inventory.subnets.values().filter_map(|lookup| match lookup {
        SubnetLookup::Found(subnet) => Some(subnet.id.to_string()),
        _ => None,
    });
    // A subnet may be asked for by id and by name.
    let found: BTreeSet<_> = found.collect();
    found.into_iter().collect()
}

/// Only ports on a found subnet and of a found server: filters are not trusted.
pub(crate) fn add_ports(inventory: &mut Inventory, rows: &Rows<PortRow>) {
    let found = found_subnets(inventory);
    for row in rows.values().filter(|row| row.may_lie_on(&found)) {
        let Ok(device_id) = row.device_id.parse::<InstanceId>() else {
            continue;
        };
        if !inventory.servers.contains_key(&device_id) {
            continue;
        }
        match row.parse(device_id.clone()) {
            Ok((id, port)) => {
                inventory.ports.insert(id, port);
            }
            Err(problem) => inventory.unreadable.push(UnreadablePort {
                id: row.id.clone(),
                device_id,
                problem,
            }),
        }
    }
}

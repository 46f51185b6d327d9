//! A part of a reading: some servers, the ports of some servers, or the subnets are looked at again. What comes out is what a whole
//! reading would say, provided that everything else is as it was.

use std::collections::BTreeSet;

use futures::try_join;
use multinic_model::{InstanceId, VmSelector, inventory::Inventory};

use crate::{
    endpoints::{
        ports::{self, PortRow},
        servers::{self, Servers},
        subnets,
    },
    error::CloudError,
    execute::Access,
    read::{self, Answers, ReadRequest, Rows},
};

/// What is to be looked at again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// Whether these servers are there, and what they are called.
    pub servers: BTreeSet<InstanceId>,
    /// The ports of these servers.
    pub ports: BTreeSet<InstanceId>,
    /// The subnets, their networks, and the ports of every server.
    pub subnets: bool,
}

impl Part {
    /// Whether nothing is to be looked at.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.ports.is_empty() && !self.subnets
    }
}

/// More servers than this, and one listing of all is cheaper than asking for each.
const SERVERS_ONE_BY_ONE: usize = 8;

/// The ports of more servers than this, and those of all are listed.
const SERVERS_BY_FILTER: usize = 3 * ports::SERVERS_PER_REQUEST;

/// Looks at the part again, completely, or fails. `base` is what an earlier reading said to the same request.
pub(crate) async fn read(
    access: &Access<'_>,
    request: &ReadRequest,
    base: &Inventory,
    part: &Part,
) -> Result<Inventory, CloudError> {
    let servers = servers_of(access, request, base, &part.servers);
    if part.subnets {
        return Box::pin(with_subnets(access, request, servers)).await;
    }
    let known: BTreeSet<_> = part
        .ports
        .iter()
        .filter(|id| base.servers.contains_key(*id))
        .cloned()
        .collect();
    let (servers, mut rows) = try_join!(servers, ports_of(access, base, &known))?;
    // Of a server that was not there before, nothing is known yet.
    let new: BTreeSet<_> = servers
        .keys()
        .filter(|id| !base.servers.contains_key(*id))
        .cloned()
        .collect();
    rows.extend(ports_of(access, base, &new).await?);
    Ok(merged(base, servers, &known, &rows))
}

async fn with_subnets(
    access: &Access<'_>,
    request: &ReadRequest,
    servers: impl Future<Output = Result<Servers, CloudError>>,
) -> Result<Inventory, CloudError> {
    let (servers, subnets) = try_join!(servers, subnets::read(access, &request.subnets))?;
    let ids: Vec<_> = servers.keys().cloned().collect();
    let ids = (ids.len() <= SERVERS_BY_FILTER).then_some(ids);
    let (networks, ports) = read::networks_and_ports(access, &subnets, ids.as_deref()).await?;
    let answers = Answers {
        subnets,
        networks,
        servers,
        ports,
    };
    Ok(read::assemble(access, request, answers))
}

/// The servers that the request may mean, after another look at some of them.
async fn servers_of(
    access: &Access<'_>,
    request: &ReadRequest,
    base: &Inventory,
    again: &BTreeSet<InstanceId>,
) -> Result<Servers, CloudError> {
    if again.len() > SERVERS_ONE_BY_ONE {
        return servers::listing(access, &request.vms).await;
    }
    let found = servers::one_by_one(access, again).await?;
    let names: BTreeSet<_> = request.vms.iter().map(VmSelector::as_str).collect();
    let ids: BTreeSet<_> = request.vms.iter().filter_map(VmSelector::instance_id).collect();
    let mut servers = base.servers.clone();
    servers.retain(|id, _| !again.contains(id));
    let meant = found
        .into_iter()
        .filter(|(id, server)| ids.contains(id) || names.contains(server.name.as_str()));
    servers.extend(meant);
    Ok(servers)
}

/// The ports of these servers on the subnets that were found.
async fn ports_of(
    access: &Access<'_>,
    base: &Inventory,
    servers: &BTreeSet<InstanceId>,
) -> Result<Rows<PortRow>, CloudError> {
    let subnets = read::found_subnets(base);
    if subnets.is_empty() || servers.is_empty() {
        return Ok(Rows::new());
    }
    let few: Vec<_> = servers.iter().cloned().collect();
    let few = (few.len() <= SERVERS_BY_FILTER).then_some(few);
    let mut rows = ports::read(access, &subnets, few.as_deref()).await?;
    rows.retain(|_, row| row.device_id.parse().is_ok_and(|id: InstanceId| servers.contains(&id)));
    Ok(rows)
}

/// The base with these servers; the ports of `again` and of the new ones are those of `rows`.
fn merged(base: &Inventory, servers: Servers, again: &BTreeSet<InstanceId>, rows: &Rows<PortRow>) -> Inventory {
    let stays = |device: &InstanceId| servers.contains_key(device) && !again.contains(device);
    let ports = base.ports.iter().filter(|(_, port)| stays(&port.device_id));
    let unreadable = base.unreadable.iter().filter(|port| stays(&port.device_id));
    let mut inventory = Inventory {
        project: base.project,
        subnets: base.subnets.clone(),
        ports: ports.map(|(id, port)| (*id, port.clone())).collect(),
        unreadable: unreadable.cloned().collect(),
        servers,
    };
    read::add_ports(&mut inventory, rows);
    inventory
}

//! Ports, findable by id, device, network and subnet.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use crate::ids::Id;

/// One address of a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FixedIp {
    /// The subnet it is from.
    pub subnet: Id,
    /// The address.
    pub address: IpAddr,
}

/// A Neutron port.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    /// A UUID, unless the builder was told otherwise.
    pub id: Id,
    /// Often empty.
    pub name: String,
    /// Its owner; not always the server's project.
    pub project: Id,
    /// Its network.
    pub network: Id,
    /// Lower case with colons, unless the builder was told otherwise.
    pub mac: String,
    /// `ACTIVE`, `DOWN`, `BUILD`, …
    pub status: String,
    /// `admin_state_up`.
    pub admin_state_up: bool,
    /// The server, or empty.
    pub device: Id,
    /// `compute:nova`, or empty.
    pub device_owner: String,
    /// Its addresses.
    pub fixed_ips: Vec<FixedIp>,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// Raised by every change.
    pub revision: u64,
}

/// The ports and their indexes.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    all: BTreeMap<Id, Port>,
    of_devices: Index,
    of_networks: Index,
    of_subnets: Index,
}

type Index = HashMap<Id, BTreeSet<Id>>;

impl Ports {
    /// By id.
    pub fn get(&self, id: &str) -> Option<&Port> {
        self.all.get(id)
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Port> {
        self.all.values()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Ids of the ports of that device.
    pub fn of_device(&self, device: &str) -> impl Iterator<Item = &Id> {
        self.of_devices.get(device).into_iter().flatten()
    }

    /// Ids of the ports of that network.
    pub fn of_network(&self, network: &str) -> impl Iterator<Item = &Id> {
        self.of_networks.get(network).into_iter().flatten()
    }

    /// Ids of the ports with an address of that subnet.
    pub fn of_subnet(&self, subnet: &str) -> impl Iterator<Item = &Id> {
        self.of_subnets.get(subnet).into_iter().flatten()
    }

    /// Adds one, or replaces the one of the same id.
    pub fn insert(&mut self, port: Port) {
        self.remove(&Id::clone(&port.id));
        self.index(&port, |ids, id| {
            ids.insert(id);
        });
        self.all.insert(Id::clone(&port.id), port);
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &str) -> Option<Port> {
        let port = self.all.remove(id)?;
        self.index(&port, |ids, id| {
            ids.remove(&id);
        });
        Some(port)
    }

    fn index(&mut self, port: &Port, change: impl Fn(&mut BTreeSet<Id>, Id)) {
        let apply = |index: &mut Index, key: &Id| {
            change(index.entry(Id::clone(key)).or_default(), Id::clone(&port.id));
        };
        apply(&mut self.of_devices, &port.device);
        apply(&mut self.of_networks, &port.network);
        for fixed_ip in &port.fixed_ips {
            apply(&mut self.of_subnets, &fixed_ip.subnet);
        }
    }
}

//! One inventory, so that servers are found by name and ports by server.

use std::collections::HashMap;

use multinic_model::{
    InstanceId, PortId, VmSelector,
    inventory::{Inventory, Port, Server, UnreadablePort},
};

use crate::matching::Match;

/// An inventory with the paths that the plan walks.
pub(crate) struct InventoryIndex<'a> {
    pub inventory: &'a Inventory,
    by_name: HashMap<&'a str, Vec<(&'a InstanceId, &'a Server)>>,
    ports: HashMap<&'a InstanceId, Vec<(PortId, &'a Port)>>,
    unreadable: HashMap<&'a InstanceId, Vec<&'a UnreadablePort>>,
}

impl<'a> InventoryIndex<'a> {
    pub fn new(inventory: &'a Inventory) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::with_capacity(inventory.servers.len());
        for (id, server) in &inventory.servers {
            by_name.entry(server.name.as_str()).or_default().push((id, server));
        }
        let mut ports: HashMap<_, Vec<_>> = HashMap::with_capacity(inventory.servers.len());
        for (id, port) in &inventory.ports {
            ports.entry(&port.device_id).or_default().push((*id, port));
        }
        let mut unreadable: HashMap<_, Vec<_>> = HashMap::new();
        for port in &inventory.unreadable {
            unreadable.entry(&port.device_id).or_default().push(port);
        }
        Self {
            inventory,
            by_name,
            ports,
            unreadable,
        }
    }

    /// The ports of a server, by id.
    pub fn ports(&self, server: &InstanceId) -> &[(PortId, &'a Port)] {
        self.ports.get(server).map_or(&[], Vec::as_slice)
    }

    pub fn unreadable(&self, server: &InstanceId) -> &[&'a UnreadablePort] {
        self.unreadable.get(server).map_or(&[], Vec::as_slice)
    }

    /// By id first, then by exact name.
    pub fn find(&self, selector: &VmSelector) -> Match<'a> {
        let by_id = selector
            .instance_id()
            .and_then(|id| self.inventory.servers.get_key_value(&id));
        if let Some((id, server)) = by_id {
            return Match::Server(id, server);
        }
        match self.by_name.get(selector.as_str()).map(Vec::as_slice) {
            None | Some([]) => Match::NotFound,
            Some([(id, server)]) => Match::Server(id, server),
            Some(several) => Match::Ambiguous(several.iter().map(|(id, _)| *id).collect()),
        }
    }
}

//! What the cluster should look like when everything can be read and has been read often enough: written down naively
//! from the words of the rules, without any of the planner's thoughts.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{InstanceId, InterfaceAddress, MacAddress, Mtu};

use super::{World, address, instance, mac, mtu, project_of_subnet, project_of_vm, server_name};

pub type Content = BTreeSet<(MacAddress, InterfaceAddress, Mtu)>;

/// By node name: the instance and its interfaces. Nodes without any are left out.
pub fn expected(world: &World) -> BTreeMap<String, (InstanceId, Content)> {
    let mut nodes = BTreeMap::new();
    for (vm, name) in &world.servers {
        let content = content(world, *vm);
        if !content.is_empty() {
            nodes.insert(server_name(*name), (instance(*vm), content));
        }
    }
    nodes
}

/// The ports of a VM that any config selects.
pub fn content(world: &World, vm: u8) -> Content {
    let mut content = Content::new();
    for (id, port) in world.ports.iter().filter(|(_, port)| port.vm == vm) {
        let selected = world.configs.values().any(|config| {
            !config.departed && config.subnet == port.subnet && selects(world, &config.vms, config.subnet, vm)
        });
        if selected {
            content.insert((mac(*id), address(port), mtu(port.subnet)));
        }
    }
    content
}

fn selects(world: &World, vms: &BTreeSet<String>, subnet: u8, vm: u8) -> bool {
    let by_id = vms.contains(instance(vm).as_str());
    let by_name = world
        .servers
        .get(&vm)
        .is_some_and(|name| vms.contains(&server_name(*name)));
    project_of_subnet(subnet) == project_of_vm(vm) && (by_id || by_name)
}

/// What the nodes of the world hold, in the same words.
pub fn actual(world: &World) -> BTreeMap<String, (InstanceId, Content)> {
    let nodes = world.nodes.iter().filter(|(_, node)| !node.interfaces.is_empty());
    let node = |(name, node): (&multinic_model::NodeName, &multinic_model::EarlierNode)| {
        let content = node
            .interfaces
            .iter()
            .map(|held| (held.mac_address, held.address, held.mtu))
            .collect();
        (name.to_string(), (node.instance_id.clone(), content))
    };
    nodes.map(node).collect()
}

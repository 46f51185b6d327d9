//! The order of delivery: a MAC address leaves one node before another takes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use multinic_model::{MacAddress, NodeName};

use crate::{
    earlier_index::EarlierIndex,
    output::{Change, PlannedNode},
};

/// The nodes that are sent, givers first.
pub(crate) fn order(earlier: &EarlierIndex<'_>, nodes: &BTreeMap<NodeName, PlannedNode>) -> Vec<NodeName> {
    let changed = || nodes.iter().filter(|(_, node)| node.change != Change::Unchanged);
    let mut given: HashMap<MacAddress, Vec<&NodeName>> = HashMap::new();
    let mut shrinking = BTreeSet::new();
    for (name, node) in changed() {
        let lost = lost(earlier, name, node);
        if node.change == Change::Withdraw || !lost.is_empty() {
            shrinking.insert(name);
        }
        for mac in lost {
            given.entry(mac).or_default().push(name);
        }
    }
    let mut order = givers_first(nodes, &given, shrinking.clone());
    order.extend(changed().map(|(name, _)| name).filter(|name| !shrinking.contains(name)));
    order.into_iter().cloned().collect()
}

fn macs(node: &PlannedNode) -> impl Iterator<Item = MacAddress> {
    node.config.interfaces.iter().map(|interface| interface.mac_address)
}

/// The MAC addresses that the node holds now and not any more.
fn lost(earlier: &EarlierIndex<'_>, name: &NodeName, node: &PlannedNode) -> Vec<MacAddress> {
    let Some(held) = earlier.named(name.as_str()).and_then(|held| earlier.nodes.get(held)) else {
        return Vec::new();
    };
    let kept: BTreeSet<_> = macs(node).collect();
    let held = held.items.iter().filter_map(|item| item.mac);
    held.filter(|mac| !kept.contains(mac)).collect()
}

/// Nodes whose givers are all gone first, by name; in a ring, the first name opens it.
fn givers_first<'n>(
    nodes: &'n BTreeMap<NodeName, PlannedNode>,
    given: &HashMap<MacAddress, Vec<&'n NodeName>>,
    mut open: BTreeSet<&'n NodeName>,
) -> Vec<&'n NodeName> {
    let mut takers: HashMap<&NodeName, Vec<&NodeName>> = HashMap::new();
    let mut waits: HashMap<&NodeName, usize> = HashMap::new();
    for name in &open {
        let wanted = nodes.get(*name).into_iter().flat_map(macs);
        let givers = wanted.filter_map(|mac| given.get(&mac)).flatten().copied();
        let givers: BTreeSet<_> = givers.filter(|giver| giver != name).collect();
        waits.insert(name, givers.len());
        for giver in givers {
            takers.entry(giver).or_default().push(name);
        }
    }
    let mut ready: BTreeSet<_> = open
        .iter()
        .copied()
        .filter(|name| waits.get(name) == Some(&0))
        .collect();
    let mut order = Vec::with_capacity(open.len());
    while let Some(name) = ready.pop_first().or_else(|| open.first().copied()) {
        open.remove(name);
        order.push(name);
        for taker in takers.get(name).into_iter().flatten() {
            if let Some(waits) = waits.get_mut(taker) {
                *waits = waits.saturating_sub(1);
                if *waits == 0 && open.contains(taker) {
                    ready.insert(taker);
                }
            }
        }
    }
    order
}

//! The memory between plans: how many complete readings in a row missed what.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{InstanceId, MacAddress, NodeName};

/// What complete readings have seen missing so far. The plan takes the one that the plan before it returned.
///
/// It holds entries only for interfaces and names that the management API still has, so it is never larger than what
/// is there. Losing it (a restart) only makes removals wait longer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RemovalLedger {
    pub(crate) missing: BTreeMap<NodeName, MissedNode>,
    pub(crate) renames: BTreeMap<NodeName, SeenRename>,
    pub(crate) remembered: BTreeMap<NodeName, Remembered>,
}

/// How often each interface of one node was missed. `None` stands for the whole content of a node that cannot be read
/// back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MissedNode {
    pub instance: InstanceId,
    pub counts: BTreeMap<Option<MacAddress>, u32>,
}

/// How often a node's server was seen under the same other name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SeenRename {
    pub instance: InstanceId,
    pub to: NodeName,
    pub count: u32,
}

/// What was last planned for a node of a management API that cannot be read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Remembered {
    pub instance: InstanceId,
    pub macs: BTreeSet<MacAddress>,
}

impl RemovalLedger {
    /// Whether nothing is missing and nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.renames.is_empty() && self.remembered.is_empty()
    }

    /// How many complete readings in a row missed this interface.
    pub(crate) fn missed(&self, name: &NodeName, instance: &InstanceId, mac: Option<MacAddress>) -> u32 {
        let node = self.missing.get(name).filter(|node| node.instance == *instance);
        node.and_then(|node| node.counts.get(&mac)).copied().unwrap_or(0)
    }

    /// How many complete readings in a row saw the server of node `from` under the name `to`.
    pub(crate) fn renamed(&self, from: &NodeName, instance: &InstanceId, to: &NodeName) -> u32 {
        let seen = self
            .renames
            .get(from)
            .filter(|seen| seen.instance == *instance && seen.to == *to);
        seen.map_or(0, |seen| seen.count)
    }

    pub(crate) fn set_missed(&mut self, name: &NodeName, instance: &InstanceId, mac: Option<MacAddress>, count: u32) {
        let node = self.missing.entry(name.clone()).or_insert_with(|| MissedNode {
            instance: instance.clone(),
            counts: BTreeMap::new(),
        });
        node.counts.insert(mac, count);
    }
}

//! What the management API holds from earlier deliveries (read back, rule 3).

use std::collections::{BTreeMap, BTreeSet};

use crate::{InstanceId, Interface, MacAddress, NodeName};

/// Everything the management API holds for one cluster, or the knowledge that it cannot say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Earlier {
    /// A complete read-back.
    Known(BTreeMap<NodeName, EarlierNode>),
    /// A complete read-back in which some node configs are none of ours. What those hold must stay exactly as it is.
    Partly {
        /// Those that can be read.
        nodes: BTreeMap<NodeName, EarlierNode>,
        /// Those that cannot; not among `nodes`.
        unreadable: BTreeMap<NodeName, UnreadableNode>,
    },
    /// The server has no GET (404, 405 or 501): ids follow the deterministic order.
    NotOffered,
}

/// A node config as it was read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierNode {
    /// The server it was for.
    pub instance_id: InstanceId,
    /// Its interfaces, sorted by id; empty after a withdrawal.
    pub interfaces: Vec<Interface>,
}

/// A stored node config that breaks the contract, of which it is still known whose it is and which MAC addresses it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadableNode {
    /// The server it is for.
    pub instance_id: InstanceId,
    /// Every MAC address in it.
    pub macs: BTreeSet<MacAddress>,
    /// What is wrong with it, on one line.
    pub problem: String,
}

//! What the management API holds from earlier deliveries (read back, rule 3).

use std::collections::BTreeMap;

use crate::{InstanceId, Interface, NodeName};

/// Everything the management API holds for one cluster, or the knowledge that it cannot say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Earlier {
    /// A complete read-back.
    Known(BTreeMap<NodeName, EarlierNode>),
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

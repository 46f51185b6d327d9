//! What became of each node.

use std::{collections::BTreeMap, sync::Arc};

use multinic_model::NodeName;
use strum::IntoStaticStr;

use crate::DeliveryError;

/// The outcome of one delivery: an entry for every node that was to be delivered.
#[derive(Debug, Default)]
pub struct Delivery {
    /// By node. Should a name have been given twice, the worse outcome stands.
    pub nodes: BTreeMap<NodeName, NodeResult>,
    /// The requests' outcomes in the order in which they were sent.
    pub batches: Vec<Batch>,
}

/// One POST with its repetitions.
#[derive(Debug)]
pub struct Batch {
    /// How many nodes it carried.
    pub nodes: usize,
    /// Why all of them failed, if they did for one reason.
    pub error: Option<Arc<DeliveryError>>,
}

/// What became of one node.
#[derive(Clone, Debug, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NodeResult {
    /// The server did not know the node before.
    Created {
        /// The server's revision, if it counts them.
        revision: Option<u64>,
    },
    /// The server had another config of the node.
    Updated {
        /// The server's revision, if it counts them.
        revision: Option<u64>,
    },
    /// The server had this config already.
    Unchanged {
        /// The server's revision, if it counts them.
        revision: Option<u64>,
    },
    /// A server that says nothing about single nodes took the batch.
    Accepted,
    /// The server refused this node; sending it again unchanged is of no use.
    Rejected {
        /// Its reason, printable.
        error: String,
    },
    /// The node may or may not have arrived; sending it again is safe.
    Failed {
        /// What happened, on one line.
        message: String,
        /// The error itself, shared by the nodes that it concerns: its category, its hint and its sources.
        error: Arc<DeliveryError>,
    },
}

impl Delivery {
    /// Whether every node arrived.
    pub fn is_complete(&self) -> bool {
        self.nodes.values().all(NodeResult::is_delivered)
    }

    pub(crate) fn record(&mut self, node: &NodeName, result: NodeResult) {
        match self.nodes.get(node) {
            Some(earlier) if !earlier.is_delivered() => {}
            _ => {
                self.nodes.insert(node.clone(), result);
            }
        }
    }
}

impl NodeResult {
    pub(crate) fn failed(error: &Arc<DeliveryError>) -> Self {
        Self::Failed {
            message: error.line(),
            error: Arc::clone(error),
        }
    }

    /// Whether the server has the config now.
    pub const fn is_delivered(&self) -> bool {
        !matches!(self, Self::Rejected { .. } | Self::Failed { .. })
    }

    /// A bounded name: created, updated, unchanged, accepted, rejected or failed.
    pub fn name(&self) -> &'static str {
        self.into()
    }
}

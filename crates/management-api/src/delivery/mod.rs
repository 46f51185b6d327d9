//! Delivery: node configs become MultiNicNodeConfig objects in the workload clusters (contract 3.4, docs/adr/0013).
//!
//! Read in this order: [`object`] (what is written), [`write`] (one node), [`cluster`] (one cluster's task),
//! [`conductor`] (which clusters are this replica's), [`way`] (how a cluster is reached), [`error`] (what can go wrong, and
//! for whom).

mod backoff;
mod cluster;
mod conductor;
mod crd;
mod drift;
mod error;
mod fence;
mod numbers;
mod object;
mod prepare;
mod round;
mod sight;
mod way;
mod write;

use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;

pub use backoff::Backoff;
pub use conductor::Deliveries;
pub(crate) use numbers::Numbers;

/// How deliveries are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryOptions {
    /// The folder of kubeconfigs, usually a mounted Secret.
    pub kubeconfigs: Option<PathBuf>,
    /// How often the database is asked for what other replicas took in, and the folder for what is new.
    pub poll: Duration,
    /// How long one request to a cluster may take.
    pub request_time: Duration,
    /// How long what failed has to wait.
    pub backoff: Backoff,
    /// How many requests one cluster gets at once.
    pub per_cluster: usize,
    /// How many requests there are at once beyond one for each cluster.
    pub overall: usize,
    /// How long a replica that says nothing counts as alive. It delivers for half of that.
    pub lease: SignedDuration,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            kubeconfigs: None,
            poll: Duration::from_millis(500),
            request_time: Duration::from_secs(10),
            backoff: Backoff::default(),
            per_cluster: 8,
            overall: 56,
            lease: SignedDuration::from_secs(20),
        }
    }
}

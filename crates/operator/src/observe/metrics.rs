//! The numbers.

use std::time::{Duration, SystemTime};

use multinic_model::ClusterId;

/// How a pass ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PassOutcome {
    /// Everything was read, planned and delivered.
    Complete,
    /// Some places or nodes failed, the others went through.
    Partial,
    /// Nothing went through.
    Failed,
    /// Stopped half-way: leadership lost, or shutting down.
    Abandoned,
}

/// Where everybody counts. Cheap to clone; clones share their numbers.
#[derive(Clone, Debug, Default)]
pub struct Metrics {}

#[allow(clippy::unused_self, reason = "the numbers follow")]
impl Metrics {
    /// A pass over one cluster ended.
    pub fn pass_finished(&self, _outcome: PassOutcome, _took: Duration) {}

    /// Something failed; `category` is one of a bounded set of words.
    pub fn failure(&self, _category: &'static str) {}

    /// Node configs that the management API took, and those that it did not.
    pub fn delivered(&self, _changed: usize, _failed: usize) {}

    /// Clusters that wait for their turn.
    pub fn queue_depth(&self, _waiting: usize) {}

    /// A cluster was wholly in order at `at`.
    pub fn synced(&self, _cluster: &ClusterId, _at: SystemTime) {}

    /// A cluster that no config names any more.
    pub fn forget_cluster(&self, _cluster: &ClusterId) {}

    /// How many OpenstackConfigs are Ready, and how many there are.
    pub fn configs(&self, _ready: usize, _total: usize) {}

    /// Removals that outlived their OpenstackConfig and still wait for the management API.
    pub fn pending_removals(&self, _count: usize) {}
}

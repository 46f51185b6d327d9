//! What is counted about deliveries.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use jiff::Timestamp;
use multinic_model::ClusterId;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::store::targets::Backlog;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Labels {
    result: &'static str,
}

/// How many clusters have lines of their own: those that wait longest.
const LISTED: usize = 100;

/// Clones share one state.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    deliveries: Family<Labels, Counter<u64, AtomicU64>>,
    drifted: Counter<u64, AtomicU64>,
    seconds: Histogram,
    clusters: Clusters,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            deliveries: Family::default(),
            drifted: Counter::default(),
            seconds: Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]),
            clusters: Clusters::default(),
        }
    }
}

impl Numbers {
    pub fn register(&self, registry: &mut Registry) {
        let help = "Attempts to bring a node's object, or a cluster, in order, by what came of it";
        registry.register("deliveries", help, self.deliveries.clone());
        let help = "Objects that somebody else had changed or deleted, or that an agent had cleaned up after";
        registry.register("drifted_objects", help, self.drifted.clone());
        let help = "Time that one node's object took";
        registry.register_with_unit("delivery_duration", help, Unit::Seconds, self.seconds.clone());
        registry.register_collector(Box::new(self.clusters.clone()));
    }

    /// `result` comes from a bounded set.
    pub fn count(&self, result: &'static str) {
        self.deliveries.get_or_create(&Labels { result }).inc();
    }

    pub fn took(&self, seconds: f64) {
        self.seconds.observe(seconds);
    }

    pub fn drifted(&self, objects: usize) {
        self.drifted.inc_by(u64::try_from(objects).unwrap_or(u64::MAX));
    }

    pub fn orphans(&self, cluster: &ClusterId, objects: usize) {
        self.clusters.lock().orphans.insert(cluster.clone(), objects);
    }

    /// This replica does not deliver into the cluster any more.
    pub fn forget(&self, cluster: &ClusterId) {
        self.clusters.lock().orphans.remove(cluster);
    }

    /// What waits in all clusters, whoever delivers into them.
    pub fn backlog(&self, backlog: Vec<Backlog>, now: Timestamp) {
        let mut state = self.clusters.lock();
        (state.backlog, state.asked_at) = (backlog, now);
    }
}

/// What waits. Clones share one state.
#[derive(Clone, Debug, Default)]
struct Clusters(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    orphans: BTreeMap<ClusterId, usize>,
    /// The oldest first.
    backlog: Vec<Backlog>,
    asked_at: Timestamp,
}

impl Clusters {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn age(&self, backlog: &Backlog) -> f64 {
        self.asked_at.duration_since(backlog.oldest).as_secs_f64().max(0.0)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Collector for Clusters {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let state = self.lock();
        let waiting: u64 = state.backlog.iter().map(|backlog| backlog.nodes).sum();
        let oldest = state.backlog.first().map_or(0.0, |backlog| state.age(backlog));
        let totals = [
            (
                "undelivered_nodes",
                "Nodes that are not in their clusters as they should be",
                None,
                f64::from(number(usize::try_from(waiting).unwrap_or(usize::MAX))),
            ),
            (
                "oldest_undelivered",
                "Age of the oldest change that is not delivered",
                Some(&Unit::Seconds),
                oldest,
            ),
            (
                "orphan_objects",
                "Objects with the name of a cluster of this replica that nobody asked for",
                None,
                f64::from(number(state.orphans.values().sum())),
            ),
        ];
        for (name, help, unit, value) in totals {
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)?;
        }
        let listed = state.backlog.iter().take(LISTED);
        let help = "The same by cluster; only those that have waited longest are listed";
        let mut family = encoder.encode_descriptor("cluster_undelivered_nodes", help, None, MetricType::Gauge)?;
        for backlog in listed.clone() {
            let nodes = number(usize::try_from(backlog.nodes).unwrap_or(usize::MAX));
            ConstGauge::new(nodes).encode(family.encode_family(&[("cluster", backlog.cluster.as_str())])?)?;
        }
        let unit = Some(&Unit::Seconds);
        let mut family = encoder.encode_descriptor("cluster_oldest_undelivered", help, unit, MetricType::Gauge)?;
        for backlog in listed {
            let age = state.age(backlog);
            ConstGauge::new(age).encode(family.encode_family(&[("cluster", backlog.cluster.as_str())])?)?;
        }
        Ok(())
    }
}

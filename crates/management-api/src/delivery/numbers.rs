//! What is counted about deliveries.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Labels {
    result: &'static str,
}

/// Clones share one state.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    deliveries: Family<Labels, Counter<u64, AtomicU64>>,
    seconds: Histogram,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            deliveries: Family::default(),
            seconds: Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]),
        }
    }
}

impl Numbers {
    pub fn register(&self, registry: &mut Registry) {
        let help = "Attempts to bring a node's object in order, by what came of it";
        registry.register("deliveries", help, self.deliveries.clone());
        let help = "Time that one node's object took";
        registry.register_with_unit("delivery_duration", help, Unit::Seconds, self.seconds.clone());
    }

    /// `result` comes from a bounded set.
    pub fn count(&self, result: &'static str) {
        self.deliveries.get_or_create(&Labels { result }).inc();
    }

    pub fn took(&self, seconds: f64) {
        self.seconds.observe(seconds);
    }
}

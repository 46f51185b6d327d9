//! The numbers, and how they are shown. The set of labels is bounded: words of ours, services, status classes, and at
//! most [`LISTED`](super::clusters::LISTED) clusters and as many providers.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use multinic_model::ClusterId;
use multinic_sync::Connections;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use super::{clusters::Clusters, notifications::Notifications, process::Process, requests::Requests};

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
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    passes: Family<Outcome, Counter>,
    pass_duration: Histogram,
    failures: Family<Reason, Counter>,
    delivered: Family<Taken, Counter>,
    queue_depth: Gauge,
    configs: Gauge,
    configs_ready: Gauge,
    pending_removals: Gauge,
    leader: Gauge,
    settings_rejected: Gauge,
    settings_generation: Gauge<u64, AtomicU64>,
    clusters: Clusters,
    requests: Requests,
    notifications: Notifications,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Taken {
    result: &'static str,
}

/// Seconds: a pass on a small cloud takes tens of milliseconds, one behind a slow Neutron a minute.
const BUCKETS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            passes: Family::default(),
            pass_duration: Histogram::new(BUCKETS),
            failures: Family::default(),
            delivered: Family::default(),
            queue_depth: Gauge::default(),
            configs: Gauge::default(),
            configs_ready: Gauge::default(),
            pending_removals: Gauge::default(),
            leader: Gauge::default(),
            settings_rejected: Gauge::default(),
            settings_generation: Gauge::default(),
            clusters: Clusters::default(),
            requests: Requests::default(),
            notifications: Notifications::default(),
        };
        inner.register();
        Self(Arc::new(inner))
    }
}

impl Inner {
    fn register(&mut self) {
        let ours = self.registry.sub_registry_with_prefix("multinic");
        ours.register(
            "passes",
            "Passes over a cluster, by how they ended",
            self.passes.clone(),
        );
        ours.register_with_unit(
            "pass_duration",
            "How long passes took",
            Unit::Seconds,
            self.pass_duration.clone(),
        );
        ours.register("failures", "What failed, by reason", self.failures.clone());
        ours.register(
            "node_configs_delivered",
            "Node configs sent, by what came of them",
            self.delivered.clone(),
        );
        ours.register(
            "queue_depth",
            "Clusters that wait for their turn",
            self.queue_depth.clone(),
        );
        ours.register(
            "configs",
            "OpenstackConfigs that this replica looks after",
            self.configs.clone(),
        );
        ours.register(
            "configs_ready",
            "OpenstackConfigs that are Ready",
            self.configs_ready.clone(),
        );
        ours.register(
            "pending_removals",
            "Removals whose OpenstackConfig is gone and that the management API has not taken yet",
            self.pending_removals.clone(),
        );
        ours.register("leader", "1 when this replica leads", self.leader.clone());
        ours.register(
            "settings_rejected",
            "1 when the settings in the cluster cannot be used",
            self.settings_rejected.clone(),
        );
        ours.register(
            "settings_generation",
            "How many versions of the settings came into force; 0 when none ever did",
            self.settings_generation.clone(),
        );
        ours.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        self.notifications.register(ours);
        ours.register_collector(Box::new(self.clusters.clone()));
        ours.register_collector(Box::new(self.requests.clone()));
        self.registry.register_collector(Box::new(Process));
    }
}

impl Metrics {
    /// A pass over one cluster ended.
    pub fn pass_finished(&self, outcome: PassOutcome, took: Duration) {
        let outcome = outcome.into();
        self.0.passes.get_or_create(&Outcome { outcome }).inc();
        self.0.pass_duration.observe(took.as_secs_f64());
    }

    /// Something failed; `category` is one of a bounded set of words.
    pub fn failure(&self, category: &'static str) {
        self.0.failures.get_or_create(&Reason { reason: category }).inc();
    }

    /// Node configs that the management API took, and those that it did not.
    pub fn delivered(&self, changed: usize, failed: usize) {
        for (result, count) in [("changed", changed), ("failed", failed)] {
            self.0.delivered.get_or_create(&Taken { result }).inc_by(count as u64);
        }
    }

    /// Clusters that wait for their turn.
    pub fn queue_depth(&self, waiting: usize) {
        self.0.queue_depth.set(number(waiting));
    }

    /// A cluster was wholly in order at `at`.
    pub fn synced(&self, cluster: &ClusterId, at: SystemTime) {
        self.0.clusters.synced(cluster, at);
    }

    /// A cluster that no config names any more.
    pub fn forget_cluster(&self, cluster: &ClusterId) {
        self.0.clusters.forget(cluster);
    }

    /// How many OpenstackConfigs are Ready, and how many there are.
    pub fn configs(&self, ready: usize, total: usize) {
        self.0.configs_ready.set(number(ready));
        self.0.configs.set(number(total));
    }

    /// Removals that outlived their OpenstackConfig and still wait for the management API.
    pub fn pending_removals(&self, count: usize) {
        self.0.pending_removals.set(number(count));
    }

    /// Whether this replica leads. One that no longer does looks after nothing: what it knew is old.
    pub(crate) fn leading(&self, leads: bool) {
        self.0.leader.set(i64::from(leads));
        if !leads {
            self.queue_depth(0);
            self.configs(0, 0);
            self.pending_removals(0);
            self.0.clusters.clear();
        }
    }

    /// Whether the settings in the cluster are the ones in force, and how many versions there were.
    pub(crate) fn settings(&self, rejected: bool, generation: u64) {
        self.0.settings_rejected.set(i64::from(rejected));
        self.0.settings_generation.set(generation);
    }

    /// The connections whose requests are counted from now on; what earlier ones sent stays counted.
    pub(crate) fn connections(&self, connections: Arc<Connections>) {
        self.0.requests.replace(connections);
    }

    /// The numbers of links, messages and hints.
    pub fn notifications(&self) -> &Notifications {
        &self.0.notifications
    }

    /// Everything, in the text form of OpenMetrics.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_line() {
        let metrics = Metrics::default();
        metrics.pass_finished(PassOutcome::Partial, Duration::from_millis(70));
        metrics.failure("unauthorized");
        metrics.delivered(3, 1);
        metrics.queue_depth(4);
        metrics.leading(true);
        metrics.configs(5, 6);
        metrics.pending_removals(7);
        metrics.settings(true, 2);
        let text = metrics.text().unwrap();
        for line in [
            "multinic_passes_total{outcome=\"partial\"} 1",
            "multinic_pass_duration_seconds_bucket{le=\"0.1\"} 1",
            "multinic_failures_total{reason=\"unauthorized\"} 1",
            "multinic_node_configs_delivered_total{result=\"changed\"} 3",
            "multinic_node_configs_delivered_total{result=\"failed\"} 1",
            "multinic_queue_depth 4",
            "multinic_leader 1",
            "multinic_configs_ready 5",
            "multinic_configs 6",
            "multinic_pending_removals 7",
            "multinic_settings_rejected 1",
            "multinic_settings_generation 2",
            concat!("multinic_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_kernel_is_asked_about_this_process() {
        let text = Metrics::default().text().unwrap();
        for name in [
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_threads",
            "process_start_time_seconds",
            "process_cpu_seconds_total",
        ] {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
            let value: f64 = line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"))[name.len()..]
                .trim()
                .parse()
                .unwrap();
            assert!(value > 0.0 || name == "process_cpu_seconds_total", "{name} {value}");
        }
        let start: f64 = text
            .lines()
            .find_map(|line| line.strip_prefix("process_start_time_seconds "))
            .unwrap()
            .parse()
            .unwrap();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        assert!(start <= now + 1.0 && start > now - 3600.0, "{start} {now}");
    }

    #[test]
    fn a_replica_that_no_longer_leads_shows_nothing_old() {
        let metrics = Metrics::default();
        metrics.leading(true);
        metrics.configs(1, 2);
        metrics.synced(&"cluster-1".parse().unwrap(), SystemTime::now());
        metrics.leading(false);
        let text = metrics.text().unwrap();
        assert!(
            text.contains("multinic_configs 0") && !text.contains("cluster-1"),
            "{text}"
        );
    }
}

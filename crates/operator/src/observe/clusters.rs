//! How old each cluster's last good pass is, with a bounded number of labels.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use multinic_model::ClusterId;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Unit,
};

/// How many clusters have a line of their own: those that were in order longest ago.
pub(super) const LISTED: usize = 100;

/// When each cluster was last wholly in order. Clones share one state.
#[derive(Clone, Debug, Default)]
pub(super) struct Clusters {
    synced: Arc<Mutex<BTreeMap<ClusterId, SystemTime>>>,
}

impl Clusters {
    pub fn synced(&self, cluster: &ClusterId, at: SystemTime) {
        self.lock().insert(cluster.clone(), at);
    }

    pub fn forget(&self, cluster: &ClusterId) {
        self.lock().remove(cluster);
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClusterId, SystemTime>> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest first; equally old ones by name.
    fn ages(&self, now: SystemTime) -> Vec<(f64, ClusterId)> {
        let age = |at: SystemTime| now.duration_since(at).unwrap_or_default().as_secs_f64();
        let mut ages: Vec<_> = self
            .lock()
            .iter()
            .map(|(cluster, at)| (age(*at), cluster.clone()))
            .collect();
        ages.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        ages
    }
}

impl Collector for Clusters {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let ages = self.ages(SystemTime::now());
        let (listed, rest) = ages.split_at(ages.len().min(LISTED));
        let mut family = encoder.encode_descriptor(
            "cluster_sync_age",
            "Time since a cluster was last wholly in order; only the oldest clusters are listed",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for (age, cluster) in listed {
            let labels = [("cluster", cluster.as_str())];
            ConstGauge::new(*age).encode(family.encode_family(&labels)?)?;
        }
        let rest_age = rest.first().map_or(0.0, |(age, _)| *age);
        ConstGauge::new(rest_age).encode(encoder.encode_descriptor(
            "unlisted_clusters_sync_age_max",
            "The same for the oldest of the clusters that are not listed",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?)?;
        let count = u32::try_from(ages.len()).unwrap_or(u32::MAX);
        ConstGauge::new(count).encode(encoder.encode_descriptor(
            "clusters",
            "Clusters that have been wholly in order at least once",
            None,
            MetricType::Gauge,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observe::Metrics;

    #[test]
    fn ten_thousand_clusters_make_a_hundred_lines_and_the_oldest_are_among_them() {
        let (metrics, now) = (Metrics::default(), SystemTime::now());
        for index in 0_u64..10_000 {
            let cluster = format!("cluster-{index:05}").parse().unwrap();
            metrics.synced(&cluster, now - Duration::from_secs(100 + index));
        }
        let text = metrics.text().unwrap();
        let listed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("multinic_cluster_sync_age_seconds{cluster=\""))
            .collect();
        assert_eq!(listed.len(), LISTED);
        assert!(
            listed[0].starts_with("cluster-09999\"") && listed[99].starts_with("cluster-09900\""),
            "{listed:?}"
        );
        let rest: f64 = text
            .lines()
            .find_map(|line| line.strip_prefix("multinic_unlisted_clusters_sync_age_max_seconds "))
            .unwrap()
            .parse()
            .unwrap();
        assert!(rest >= 9_999.0, "{rest}");
        assert!(text.contains("multinic_clusters 10000\n"), "{text}");
    }
}

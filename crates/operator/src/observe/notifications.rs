//! The numbers of the links to message brokers and of what comes over them. Providers have lines of their own only while
//! somebody names them, and only so many of them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::SignedDuration;
use multinic_model::ProviderId;
use multinic_notifications::{EventKind, MessageOutcome};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// How many providers have lines of their own: those whose links are down first.
const LISTED: usize = 100;

/// Seconds. A message is under way for some milliseconds, and waits in our queue while nobody listens.
const BUCKETS: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];

/// Where everybody counts. Clones share their numbers.
#[derive(Clone)]
pub struct Notifications {
    links: Links,
    connections: Family<Outcome, Counter>,
    messages: Family<Message, Counter>,
    lag: Histogram,
    hints: Counter,
    coalesced: Counter,
    concerned: Family<Concern, Counter>,
    passes: Counter,
    unannounced: Counter,
}

/// The links of one provider together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkNumbers {
    /// All of them listen.
    pub connected: bool,
    /// Exchanges that do not exist.
    pub absent_exchanges: usize,
}

#[derive(Clone, Debug, Default)]
struct Links(Arc<Mutex<BTreeMap<ProviderId, LinkNumbers>>>);

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Message {
    event: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Concern {
    concern: &'static str,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            links: Links::default(),
            connections: Family::default(),
            messages: Family::default(),
            lag: Histogram::new(BUCKETS),
            hints: Counter::default(),
            coalesced: Counter::default(),
            concerned: Family::default(),
            passes: Counter::default(),
            unannounced: Counter::default(),
        }
    }
}

impl Notifications {
    pub(super) fn register(&self, ours: &mut Registry) {
        ours.register(
            "rabbitmq_connections",
            "Connections to brokers that came about, and by reason those that did not or broke",
            self.connections.clone(),
        );
        ours.register(
            "notifications",
            "Messages by what they are about and what became of them",
            self.messages.clone(),
        );
        ours.register_with_unit(
            "notification_lag",
            "From the sender's clock to ours",
            Unit::Seconds,
            self.lag.clone(),
        );
        ours.register(
            "hints",
            "Things that messages said may have changed",
            self.hints.clone(),
        );
        ours.register(
            "hints_coalesced",
            "Those of them that were added to one that waited already",
            self.coalesced.clone(),
        );
        ours.register(
            "hints_concerned",
            "Hints that were looked at, by whether they concerned a cluster",
            self.concerned.clone(),
        );
        ours.register("passes_hinted", "Passes that hints have caused", self.passes.clone());
        ours.register(
            "changes_unannounced",
            "Nodes whose change a periodic pass has found while its provider was listened to",
            self.unannounced.clone(),
        );
        ours.register_collector(Box::new(self.links.clone()));
    }

    /// The links of a provider; `None`: it has none.
    pub fn links(&self, provider: &ProviderId, numbers: Option<LinkNumbers>) {
        match numbers {
            Some(numbers) => drop(self.links.lock().insert(provider.clone(), numbers)),
            None => self.forget(provider),
        }
    }

    /// A provider that nobody names any more.
    pub fn forget(&self, provider: &ProviderId) {
        self.links.lock().remove(provider);
    }

    /// A connection to a broker: `connected`, or one of a bounded set of words that say why not, or not any more.
    pub fn connection(&self, outcome: &'static str) {
        self.connections.get_or_create(&Outcome { outcome }).inc();
    }

    /// A message has come. Its lag is negative if the sender's clock is ahead of ours.
    pub fn message(&self, event: EventKind, outcome: MessageOutcome, lag: Option<SignedDuration>) {
        let (event, outcome) = (event.into(), outcome.into());
        self.messages.get_or_create(&Message { event, outcome }).inc();
        if let Some(lag) = lag {
            self.lag.observe(lag.as_secs_f64().max(0.0));
        }
    }

    /// A hint has come; whether it was added to one that waited already.
    pub fn hint(&self, coalesced: bool) {
        self.hints.inc();
        self.coalesced.inc_by(u64::from(coalesced));
    }

    /// Hints were looked at: so many concerned a cluster, and so many nobody.
    pub fn concerned(&self, clusters: usize, nobody: usize) {
        for (concern, count) in [("cluster", clusters), ("nobody", nobody)] {
            self.concerned.get_or_create(&Concern { concern }).inc_by(count as u64);
        }
    }

    /// A pass was made because of hints.
    pub fn pass(&self) {
        self.passes.inc();
    }

    /// Nodes that a periodic pass has found changed, although its provider was listened to.
    pub fn unannounced(&self, nodes: usize) {
        self.unannounced.inc_by(nodes as u64);
    }
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ProviderId, LinkNumbers>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are down first, then by id.
    fn listed(&self) -> Vec<(ProviderId, LinkNumbers)> {
        let mut all: Vec<_> = self.lock().iter().map(|(id, numbers)| (id.clone(), *numbers)).collect();
        all.sort_by_key(|(_, numbers)| numbers.connected);
        all.truncate(LISTED);
        all
    }
}

impl Collector for Links {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let listed = self.listed();
        let mut family = |name, help, value: fn(&LinkNumbers) -> usize| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (provider, numbers) in &listed {
                let value = u32::try_from(value(numbers)).unwrap_or(u32::MAX);
                ConstGauge::new(value).encode(family.encode_family(&[("provider", provider.as_str())])?)?;
            }
            Ok(())
        };
        let help = "1 when a provider's notifications are listened to; at most 100 providers, those that are not first";
        family("rabbitmq_connected", help, |numbers| usize::from(numbers.connected))?;
        let help = "Exchanges that do not exist";
        family("rabbitmq_absent_exchanges", help, |numbers| numbers.absent_exchanges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Metrics;

    fn numbers(connected: bool) -> LinkNumbers {
        LinkNumbers {
            connected,
            absent_exchanges: 2,
        }
    }

    fn provider(n: usize) -> ProviderId {
        format!("p-{n:03}").parse().unwrap()
    }

    #[test]
    fn every_number_has_its_line() {
        let metrics = Metrics::default();
        let notifications = metrics.notifications();
        notifications.links(&provider(1), Some(numbers(false)));
        notifications.connection("unreachable");
        let lag = Some(SignedDuration::from_millis(70));
        notifications.message(EventKind::PortDelete, MessageOutcome::Hint, lag);
        notifications.message(EventKind::Other, MessageOutcome::Malformed, None);
        notifications.hint(false);
        notifications.hint(true);
        notifications.concerned(3, 4);
        notifications.pass();
        notifications.unannounced(5);
        let text = metrics.text().unwrap();
        for line in [
            "multinic_rabbitmq_connected{provider=\"p-001\"} 0",
            "multinic_rabbitmq_absent_exchanges{provider=\"p-001\"} 2",
            "multinic_rabbitmq_connections_total{outcome=\"unreachable\"} 1",
            "multinic_notifications_total{event=\"port.delete\",outcome=\"hint\"} 1",
            "multinic_notifications_total{event=\"other\",outcome=\"malformed\"} 1",
            "multinic_notification_lag_seconds_count 1",
            "multinic_notification_lag_seconds_bucket{le=\"0.1\"} 1",
            "multinic_hints_total 2",
            "multinic_hints_coalesced_total 1",
            "multinic_hints_concerned_total{concern=\"cluster\"} 3",
            "multinic_hints_concerned_total{concern=\"nobody\"} 4",
            "multinic_passes_hinted_total 1",
            "multinic_changes_unannounced_total 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_sender_whose_clock_is_ahead_has_no_lag() {
        let metrics = Metrics::default();
        let ahead = Some(SignedDuration::from_secs(-3600));
        metrics
            .notifications()
            .message(EventKind::Server, MessageOutcome::Hint, ahead);
        let text = metrics.text().unwrap();
        assert!(text.contains("multinic_notification_lag_seconds_sum 0.0\n"), "{text}");
    }

    #[test]
    fn a_thousand_providers_make_a_hundred_lines_and_those_that_are_down_are_among_them() {
        let metrics = Metrics::default();
        for n in 0..1000 {
            metrics.notifications().links(&provider(n), Some(numbers(n != 999)));
        }
        let lines = |metrics: &Metrics| -> Vec<String> {
            let text = metrics.text().unwrap();
            let lines = text
                .lines()
                .filter(|line| line.starts_with("multinic_rabbitmq_connected{"));
            lines.map(ToOwned::to_owned).collect()
        };
        let all = lines(&metrics);
        assert_eq!(all.len(), LISTED);
        assert_eq!(all[0], "multinic_rabbitmq_connected{provider=\"p-999\"} 0");
        for n in 0..1000 {
            metrics.notifications().forget(&provider(n));
        }
        assert_eq!(lines(&metrics), [""; 0]);
    }
}

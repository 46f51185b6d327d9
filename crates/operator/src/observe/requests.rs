//! The requests of passes, collected from the connections at each scrape.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use multinic_sync::{Connections, Counts};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType::Counter, counter::ConstCounter},
    registry::Unit,
};

/// What all connections so far have sent. Clones share one state.
#[derive(Clone, Default)]
pub(super) struct Requests {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By connections that are no longer in force.
    earlier: Sent,
    current: Option<Arc<Connections>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Sent {
    /// By service and class of answer.
    requests: BTreeMap<(&'static str, &'static str), u64>,
    waits: u64,
    waited: Duration,
    whole_readings: u64,
    part_readings: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ServiceStatus {
    service: &'static str,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Extent {
    extent: &'static str,
}

impl Requests {
    /// Counts through `connections` from now on. What was sent through earlier ones stays counted: a counter that falls
    /// would look like a restart.
    pub fn replace(&self, connections: Arc<Connections>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.earlier = state.sent();
        state.current = Some(connections);
    }

    fn sent(&self) -> Sent {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sent()
    }
}

impl State {
    fn sent(&self) -> Sent {
        let current = self.current.as_ref().map(|connections| connections.counts());
        match current {
            Some(counts) => self.earlier.clone().and(counts),
            None => self.earlier.clone(),
        }
    }
}

impl Sent {
    fn and(mut self, counts: Counts) -> Self {
        for (key, sent) in counts.requests {
            *self.requests.entry(key).or_default() += sent;
        }
        self.waits += counts.budget_waits;
        self.waited += counts.budget_waited;
        self.whole_readings += counts.whole_readings;
        self.part_readings += counts.part_readings;
        self
    }

    fn of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = (Status, u64)> + 'a {
        let of_it = self.requests.iter().filter(move |((of, _), _)| *of == service);
        of_it.map(|((_, status), sent)| (Status { status }, *sent))
    }

    fn readings(&self) -> impl Iterator<Item = (Extent, u64)> {
        let extent = |extent, count| (Extent { extent }, count);
        [extent("whole", self.whole_readings), extent("part", self.part_readings)].into_iter()
    }

    fn of_openstack(&self) -> impl Iterator<Item = (ServiceStatus, u64)> {
        let openstack = ["keystone", "nova", "neutron"];
        let of_it = self
            .requests
            .iter()
            .filter(move |((service, _), _)| openstack.contains(service));
        of_it.map(|((service, status), sent)| (ServiceStatus { service, status }, *sent))
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let sent = self.sent();
        let help = "Requests to OpenStack by service and class of answer; none: no complete answer came";
        family(&mut encoder, "openstack_api_requests", help, sent.of_openstack())?;
        let help = "Requests to Contrabass by class of answer";
        family(&mut encoder, "contrabass_requests", help, sent.of("contrabass"))?;
        let help = "Requests to the management API by class of answer";
        family(&mut encoder, "management_api_requests", help, sent.of("management-api"))?;
        let help = "Requests to OpenStack that waited for their turn in the budget";
        let waits = encoder.encode_descriptor("openstack_budget_waits", help, None, Counter)?;
        ConstCounter::new(sent.waits).encode(waits)?;
        let help = "How long they waited";
        let waited = encoder.encode_descriptor("openstack_budget_wait", help, Some(&Unit::Seconds), Counter)?;
        ConstCounter::new(sent.waited.as_secs_f64()).encode(waited)?;
        let help = "Readings of projects: whole ones, and parts that were hinted at";
        family(&mut encoder, "readings", help, sent.readings())
    }
}

fn family<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counts: impl Iterator<Item = (L, u64)>,
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, Counter)?;
    for (labels, count) in counts {
        ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_connections_have_sent_stays_counted() {
        let counts = |nova| Counts {
            requests: BTreeMap::from([(("nova", "2xx"), nova), (("contrabass", "4xx"), 1)]),
            budget_waits: 2,
            budget_waited: Duration::from_secs(3),
            whole_readings: 1,
            part_readings: nova,
        };
        let sent = Sent::default().and(counts(5)).and(counts(7));
        let nova = ServiceStatus {
            service: "nova",
            status: "2xx",
        };
        assert_eq!(sent.of_openstack().collect::<Vec<_>>(), [(nova, 12)]);
        assert_eq!(
            sent.of("contrabass").collect::<Vec<_>>(),
            [(Status { status: "4xx" }, 2)]
        );
        assert_eq!((sent.waits, sent.waited), (4, Duration::from_secs(6)));
        assert_eq!((sent.whole_readings, sent.part_readings), (2, 12));
    }
}

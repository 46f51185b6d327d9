//! The requests of a pass, collected from the connections at each scrape.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use multinic_sync::Connections;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter},
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
    openstack: BTreeMap<(&'static str, &'static str), u64>,
    waited: Duration,
    contrabass: u64,
    management_api: u64,
}

impl Requests {
    /// Counts through `connections` from now on. What was sent through earlier ones stays counted.
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
        let now = self.current.as_deref().map(Sent::of).unwrap_or_default();
        self.earlier.clone().and(now)
    }
}

impl Sent {
    fn of(connections: &Connections) -> Self {
        let requests = connections.requests();
        let counts = multinic_cloud::RequestCounts::default();
        Self {
            openstack: counts
                .sent
                .iter()
                .map(|((service, class), sent)| (((*service).into(), *class), *sent))
                .collect(),
            waited: counts.waited,
            contrabass: requests.contrabass,
            management_api: requests.management_api,
        }
    }

    fn and(mut self, other: Self) -> Self {
        for (key, sent) in other.openstack {
            *self.openstack.entry(key).or_default() += sent;
        }
        self.waited += other.waited;
        self.contrabass += other.contrabass;
        self.management_api += other.management_api;
        self
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let sent = self.sent();
        let counter = MetricType::Counter;
        let help = "Requests to OpenStack, by service and class of answer (none: no complete answer came)";
        let mut family = encoder.encode_descriptor("openstack_api_requests", help, None, counter)?;
        for ((service, status), count) in sent.openstack {
            let labels = [("service", service), ("status", status)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        let help = "How long requests to OpenStack waited for their turn in the budget";
        let waited = encoder.encode_descriptor("openstack_budget_wait", help, Some(&Unit::Seconds), counter)?;
        ConstCounter::new(sent.waited.as_secs_f64()).encode(waited)?;
        for (name, help, count) in [
            ("contrabass_requests", "Requests to Contrabass", sent.contrabass),
            (
                "management_api_requests",
                "Requests to the management API",
                sent.management_api,
            ),
        ] {
            ConstCounter::new(count).encode(encoder.encode_descriptor(name, help, None, counter)?)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

//! The heart of a pass: plan, deliver, and remember what the management API has acknowledged.

use std::{collections::BTreeMap, sync::Arc};

use multinic_delivery::{Delivery, NodeResult};
use multinic_model::NodeName;
use multinic_planner::Plan;
use multinic_sync::{ClusterReport, Extent, Planned, earlier_after, observer::Unobserved};

use super::{Finished, Pass, cast::Cast, gather::Gathered};
use crate::{
    hints::EventSource,
    settings::Current,
    status::{nodes::Arrival, reason::Word, trouble::Trouble},
};

/// A plan that was sent.
pub struct Sent {
    /// The plan.
    pub plan: Plan,
    /// What became of the nodes that were sent.
    pub arrivals: BTreeMap<NodeName, Arrival>,
    /// What the management API said.
    pub delivery: Option<Delivery>,
}

impl Pass<'_> {
    /// From the readings to the end of the pass.
    pub async fn work(mut self, current: &Current, mut cast: Cast, gathered: Gathered) -> Finished {
        if current.settings.management_api.is_none() {
            let trouble = Trouble::new(
                Word::ManagementApiMissing,
                "the settings name no management API; add managementApi.endpoint",
            );
            return self.unplanned(current, cast, gathered, &trouble).await;
        }
        if let Err(error) = &gathered.earlier {
            self.fail(error.category());
            let trouble = Trouble::of_delivery(error);
            return self.unplanned(current, cast, gathered, &trouble).await;
        }
        let Some(planned) = self.plan(current, &mut cast, &gathered).await else {
            if self.overtaken {
                return self.abandoned();
            }
            self.again = true;
            let trouble = Trouble::new(
                Word::NotRecorded,
                "no record could be written of what was to be delivered",
            );
            return self.unplanned(current, cast, gathered, &trouble).await;
        };
        if self.stops() {
            return self.abandoned();
        }
        let Some(sent) = self.send(current, planned, &gathered).await else {
            return self.abandoned();
        };
        self.conclude(current, cast, gathered, sent).await
    }

    /// Delivers. `None` if there was no plan for this cluster, which cannot be.
    #[tracing::instrument(name = "deliver", skip_all)]
    async fn send(&mut self, current: &Current, planned: Planned, gathered: &Gathered) -> Option<Sent> {
        let extent = self.extent(gathered);
        let delivered = planned
            .deliver(&current.connections, &Unobserved, &self.tools.fence, extent)
            .await;
        let ClusterReport { plan, delivery } = delivered.report().clusters.remove(self.cluster)?;
        let results = delivery.iter().flat_map(|delivery| &delivery.nodes);
        let arrivals = results.map(|(node, result)| (node.clone(), arrival(result))).collect();
        let sent = Sent {
            plan,
            arrivals,
            delivery,
        };
        self.remember(gathered, &sent);
        self.count(&sent);
        Some(sent)
    }

    /// Where nothing can be read back, everything is sent from time to time: the server may have lost it.
    fn extent(&mut self, gathered: &Gathered) -> Extent {
        if !gathered.no_read_back || !self.wish.resync {
            return Extent::Changed;
        }
        self.memory.resyncs += 1;
        if self.memory.resyncs < self.tools.pace.full_send_every {
            return Extent::Changed;
        }
        self.memory.resyncs = 0;
        Extent::Everything
    }

    fn remember(&mut self, gathered: &Gathered, sent: &Sent) {
        let memory = &mut self.memory;
        memory.ledger = sent.plan.ledger.clone();
        memory
            .planned_from
            .extend(gathered.ids.iter().map(|(place, id)| (place.clone(), *id)));
        memory.wanted.retain(|place, _| !gathered.ids.contains_key(place));
        memory.no_read_back = gathered.no_read_back;

        let whole = sent.delivery.as_ref().is_none_or(Delivery::is_complete);
        memory.earlier = match &gathered.earlier {
            // What was not acknowledged may have arrived all the same: the server is asked, if it can be.
            Ok(earlier) if whole || gathered.no_read_back => {
                Some(Arc::new(earlier_after(earlier, &sent.plan, sent.delivery.as_ref())))
            }
            _ => None,
        };
    }

    fn count(&mut self, sent: &Sent) {
        let failed = sent
            .arrivals
            .values()
            .filter(|arrival| **arrival != Arrival::Arrived)
            .count();
        self.tools.metrics.delivered(sent.arrivals.len() - failed, failed);
        let errors = sent
            .delivery
            .iter()
            .flat_map(|delivery| &delivery.batches)
            .filter_map(|batch| batch.error.as_ref());
        let categories: Vec<_> = errors.map(|error| error.category()).collect();
        for category in categories {
            self.fail(category);
        }
        self.again |= failed > 0;
        let listened_to = self.events.values().any(|events| *events == EventSource::Listening);
        if self.wish.resync && listened_to {
            self.tools.metrics.notifications().unannounced(sent.arrivals.len());
        }
        if !sent.arrivals.is_empty() {
            tracing::info!(cluster = %self.cluster, nodes = sent.arrivals.len(), failed, "node configs were sent");
        }
    }
}

impl Sent {
    /// Whether a node that was sent has arrived.
    pub fn arrived(&self, node: &NodeName) -> bool {
        self.arrivals.get(node) == Some(&Arrival::Arrived)
    }

    /// Whether everything has.
    pub fn is_complete(&self) -> bool {
        self.arrivals.values().all(|arrival| *arrival == Arrival::Arrived)
    }

    /// Why nodes of a config did not arrive; `None` if all did.
    pub fn trouble(&self, concerns: impl Fn(&NodeName) -> bool) -> Option<Trouble> {
        let delivery = self.delivery.as_ref()?;
        let failed = || {
            delivery
                .nodes
                .iter()
                .filter(|(node, result)| !result.is_delivered() && concerns(node))
        };
        let outage = failed().find_map(|(_, result)| match result {
            NodeResult::Failed { error, .. } => Some(Trouble::of_delivery(error)),
            _ => None,
        });
        outage.or_else(|| {
            let refusals: Vec<_> = failed()
                .filter_map(|(node, result)| Some(format!("{node}: {}", refusal(result)?)))
                .collect();
            let shown = refusals.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
            let message = match refusals.len() {
                0 => return None,
                1..=5 => format!("the management API rejects {shown}"),
                all => format!("the management API rejects {all} nodes, among them {shown}"),
            };
            Some(Trouble::new(Word::NodeRejected, message))
        })
    }
}

fn refusal(result: &NodeResult) -> Option<&str> {
    match result {
        NodeResult::Rejected { error } => Some(error),
        _ => None,
    }
}

const fn arrival(result: &NodeResult) -> Arrival {
    match result {
        NodeResult::Rejected { .. } => Arrival::Rejected,
        NodeResult::Failed { .. } => Arrival::Missing,
        _ => Arrival::Arrived,
    }
}

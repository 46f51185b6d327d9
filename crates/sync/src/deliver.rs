//! The deliver step: what changed goes to the management API, cluster by cluster side by side.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use multinic_delivery::{Delivery, DeliveryError};
use multinic_model::{ClusterId, NodeConfig};
use multinic_planner::Plan;

use crate::{
    Connections,
    observer::{Observer, Step},
    plan::Planned,
    report::{ClusterReport, Failure, Report},
};

/// The plans with what became of them. Next step: [`Delivered::report`].
pub struct Delivered {
    planned: Planned,
    deliveries: BTreeMap<ClusterId, Delivery>,
}

impl Planned {
    /// Sends every changed node config; an unchanged one is not sent again (rule 6).
    pub async fn deliver(self, connections: &Connections, observer: &dyn Observer) -> Delivered {
        let due: Vec<(&ClusterId, Vec<&NodeConfig>)> = self
            .plans
            .iter()
            .filter_map(|(cluster, plan)| Some((cluster, plan.as_ref().ok()?.deliveries().collect::<Vec<_>>())))
            .filter(|(_, nodes)| !nodes.is_empty())
            .collect();
        observer.step(Step::Delivering {
            nodes: due.iter().map(|(_, nodes)| nodes.len()).sum(),
        });
        let mut deliveries = BTreeMap::new();
        if let Some(api) = &connections.management_api {
            let sent = due
                .iter()
                .map(|(cluster, nodes)| async { ((*cluster).clone(), api.deliver(cluster, nodes).await) });
            deliveries.extend(join_all(sent).await);
        }
        Delivered {
            planned: self,
            deliveries,
        }
    }

    /// A report without any delivery: what `multinic plan` shows.
    pub fn report(self) -> Report {
        Delivered {
            planned: self,
            deliveries: BTreeMap::new(),
        }
        .report()
    }
}

impl Delivered {
    /// The report step: everything that somebody should know, in one value.
    pub fn report(self) -> Report {
        let Self {
            planned,
            mut deliveries,
        } = self;
        let mut report = Report::default();
        for (place, inventory) in planned.read.inventories {
            if let Err(error) = inventory {
                report.failures.push(Failure::Place { place, error });
            }
        }
        for (cluster, plan) in planned.plans {
            let delivery = deliveries.remove(&cluster);
            match cluster_report(plan, delivery) {
                Ok(entry) => drop(report.clusters.insert(cluster, entry)),
                Err(error) => report.failures.push(Failure::ReadBack { cluster, error }),
            }
        }
        report
    }
}

fn cluster_report(
    plan: Result<Plan, Arc<DeliveryError>>,
    delivery: Option<Delivery>,
) -> Result<ClusterReport, Arc<DeliveryError>> {
    Ok(ClusterReport { plan: plan?, delivery })
}

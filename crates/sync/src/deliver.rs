//! The deliver step: what changed goes to the management API, cluster by cluster side by side.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use multinic_delivery::{Delivery, DeliveryError, Gate};
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

/// How much of a plan is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Extent {
    /// What differs from what the management API holds; an unchanged node config is not sent again (rule 6).
    #[default]
    Changed,
    /// Every node that the plan answers for: the periodic full comparison with a management API that cannot be read
    /// back.
    Everything,
}

impl Extent {
    fn of(self, plan: &Plan) -> Vec<&NodeConfig> {
        match self {
            Self::Changed => plan.deliveries().collect(),
            Self::Everything => plan.everything().collect(),
        }
    }
}

impl Planned {
    /// Sends the node configs; `gate` is asked before each attempt of each request and while one goes on.
    pub async fn deliver(
        self,
        connections: &Connections,
        observer: &dyn Observer,
        gate: &dyn Gate,
        extent: Extent,
    ) -> Delivered {
        let due: Vec<(&ClusterId, Vec<&NodeConfig>)> = self
            .plans
            .iter()
            .filter_map(|(cluster, plan)| Some((cluster, extent.of(plan.as_ref().ok()?))))
            .filter(|(_, nodes)| !nodes.is_empty())
            .collect();
        observer.step(Step::Delivering {
            nodes: due.iter().map(|(_, nodes)| nodes.len()).sum(),
        });
        let mut deliveries = BTreeMap::new();
        if let Some(api) = &connections.management_api {
            let sent = due
                .iter()
                .map(|(cluster, nodes)| async { ((*cluster).clone(), api.deliver(cluster, nodes, gate).await) });
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

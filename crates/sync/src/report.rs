//! What came of a pass.

use std::{collections::BTreeMap, sync::Arc};

use multinic_delivery::{Delivery, DeliveryError, NodeResult};
use multinic_model::{ClusterId, NodeName};
use multinic_planner::{Plan, Severity};

use crate::{PlaceError, resolve::Place};

/// Everything that somebody should know about a pass.
#[derive(Debug, Default)]
pub struct Report {
    /// Each cluster that was planned.
    pub clusters: BTreeMap<ClusterId, ClusterReport>,
    /// What could not be done at all.
    pub failures: Vec<Failure>,
}

/// One cluster's plan and what became of it.
#[derive(Debug)]
pub struct ClusterReport {
    /// What every node should have, and the findings.
    pub plan: Plan,
    /// What the management API said; `None` if nothing was sent.
    pub delivery: Option<Delivery>,
}

/// Something that could not be done.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A project could not be read; its nodes stay as they are.
    Place {
        /// Which one.
        place: Place,
        /// Why.
        error: Arc<PlaceError>,
    },
    /// A cluster's earlier node configs could not be read back; nothing was planned or sent for it.
    ReadBack {
        /// Which one.
        cluster: ClusterId,
        /// Why.
        error: Arc<DeliveryError>,
    },
}

/// How a pass ended, from best to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// Everything as asked.
    Done,
    /// Done, with findings of severity warning.
    Warnings,
    /// Done, with findings of severity error.
    Errors,
    /// Something failed.
    Failed,
}

impl Report {
    /// The worst of everything.
    pub fn outcome(&self) -> Outcome {
        if !self.failures.is_empty() || self.undelivered().next().is_some() {
            return Outcome::Failed;
        }
        let severities = self
            .clusters
            .values()
            .flat_map(|cluster| &cluster.plan.findings)
            .map(|finding| finding.severity);
        match severities.max() {
            Some(Severity::Error) => Outcome::Errors,
            Some(Severity::Warning) => Outcome::Warnings,
            Some(Severity::Info) | None => Outcome::Done,
        }
    }

    /// Every node config that the management API did not take, with the reason.
    pub fn undelivered(&self) -> impl Iterator<Item = (&ClusterId, &NodeName, &str)> {
        self.clusters.iter().flat_map(|(cluster, entry)| {
            let nodes = entry.delivery.iter().flat_map(|delivery| &delivery.nodes);
            nodes.filter_map(move |(node, result)| Some((cluster, node, refusal(result)?)))
        })
    }
}

fn refusal(result: &NodeResult) -> Option<&str> {
    match result {
        NodeResult::Rejected { error } => Some(error),
        NodeResult::Failed { message, .. } => Some(message),
        _ => None,
    }
}

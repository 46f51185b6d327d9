//! The end of a pass: every config's status, and the deletions that are complete.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::join_all;
use multinic_model::{NodeName, VmSelector, openstack_config::OpenstackConfigStatus};
use multinic_planner::{Claim, Finding, VmOutcome};
use multinic_sync::{Place, readings::Freshness};

use super::{
    Finished, Next, Pass, WriteError,
    cast::{Cast, Hold, Part},
    deliver::Sent,
    gather::Gathered,
};
use crate::{
    index::{Record, Role},
    observe::PassOutcome,
    settings::Current,
    status::{Given, delivered_generation, nodes::Known, trouble::Trouble},
};

/// A status that is to be written.
pub(super) type Written = (Arc<Record>, OpenstackConfigStatus);

impl Pass<'_> {
    /// After a delivery.
    pub async fn conclude(mut self, current: &Current, cast: Cast, gathered: Gathered, sent: Sent) -> Finished {
        let statuses = cast
            .parts
            .values()
            .filter_map(|part| self.planned(part, &gathered, &sent));
        let statuses: Vec<_> = statuses.collect();
        self.report(statuses).await;
        let left = |part: &Part| Self::left(part, &sent);
        let departures: Vec<_> = departing(&cast).map(|part| (part.clone(), left(part))).collect();
        let deadline = self.let_go(current, departures).await;
        self.settle_queued(&cast, &sent).await;
        if gathered.is_complete() && sent.is_complete() && !sent.plan.awaits_confirmation() && !self.again {
            self.forget_permissions(&cast).await;
        }
        let uids: BTreeSet<_> = cast.parts.values().map(|part| &part.record.uid).collect();
        self.memory.delivered.retain(|uid, _| uids.contains(uid));
        let next = self.next(current, &gathered, &sent).or_before(deadline);
        let outcome = match (self.again, gathered.answered) {
            (false, true) => PassOutcome::Complete,
            _ => PassOutcome::Partial,
        };
        self.finish(outcome, Some(next), gathered.slow)
    }

    /// When the cluster could not be planned. Deletions go on being counted.
    pub async fn unplanned(mut self, current: &Current, cast: Cast, gathered: Gathered, trouble: &Trouble) -> Finished {
        let statuses = cast.parts.values().filter_map(|part| {
            let visit = self.visit(part);
            let status = match (part.place(), &part.record.spec) {
                (Some(place), _) => visit.unplanned(self.cluster, &gathered.sight(&place), trouble),
                (None, Err(message)) if part.role == Role::Unreadable => visit.unreadable(message),
                _ => return None,
            };
            Some((Arc::clone(&part.record), status))
        });
        let statuses: Vec<_> = statuses.collect();
        self.report(statuses).await;
        let all = |part: &Part| (part.claims.iter().cloned().collect(), Some(trouble.clone()));
        let departures: Vec<_> = departing(&cast).map(|part| (part.clone(), all(part))).collect();
        let deadline = self
            .depart(current.settings.sync.deletion_timeout.duration(), departures)
            .await;
        self.again = true;
        self.finish(PassOutcome::Failed, deadline, gathered.slow)
    }

    /// While there never were usable settings: every config says so, and deletions are counted.
    pub async fn without_settings(mut self, cast: Cast) -> Finished {
        let Some(trouble) = self.rejected.clone() else {
            return self.abandoned();
        };
        let statuses = cast.parts.values().filter(|part| !part.departs());
        let statuses = statuses.map(|part| (Arc::clone(&part.record), self.visit(part).without_settings(&trouble)));
        let statuses: Vec<_> = statuses.collect();
        self.report(statuses).await;
        let all = |part: &Part| (part.claims.iter().cloned().collect(), Some(trouble.clone()));
        let departures: Vec<_> = departing(&cast).map(|part| (part.clone(), all(part))).collect();
        let deadline = self.depart(self.tools.pace.deletion_timeout, departures).await;
        self.again = true;
        self.finish(PassOutcome::Failed, deadline, Vec::new())
    }

    /// Nothing is read, planned or delivered; at most it is said anew where the news come from.
    pub async fn restated(mut self, cast: &Cast) -> Finished {
        if !self.wish.restate {
            return self.unmoved();
        }
        self.see_event_sources(cast);
        let present = cast.parts.values().filter(|part| part.role == Role::Present);
        let statuses = present.filter_map(|part| Some((Arc::clone(&part.record), self.visit(part).restated()?)));
        let statuses: Vec<_> = statuses.collect();
        self.report(statuses).await;
        Finished {
            again: self.again,
            ..self.unmoved()
        }
    }

    fn finish(mut self, outcome: PassOutcome, next: Option<Next>, slow: Vec<(Place, Freshness)>) -> Finished {
        self.memory.next = next;
        Finished {
            generation: self.generation,
            memory: self.memory,
            outcome,
            again: self.again,
            next,
            slow,
        }
    }

    /// The status of one config after a plan; `None` for one that leaves.
    fn planned(&self, part: &Part, gathered: &Gathered, sent: &Sent) -> Option<Written> {
        let visit = self.visit(part);
        let record = Arc::clone(&part.record);
        let status = match (part.selection(), part.place(), &part.record.spec) {
            (Some(selection), Some(place), _) => {
                let key = &part.record.key;
                let findings: Vec<&Finding> = sent
                    .plan
                    .findings
                    .iter()
                    .filter(|finding| finding.configs.contains(key))
                    .collect();
                let claims = claims_after(part, sent);
                let trouble = sent.trouble(|node| concerns(part, &claims, node));
                visit.planned(&Given {
                    selection,
                    sight: &gathered.sight(&place),
                    findings: &findings,
                    known: Known {
                        outcomes: &outcomes(part, sent),
                        claims: &claims,
                        arrivals: &sent.arrivals,
                        before: &part.record.status.nodes,
                    },
                    undelivered: trouble.as_ref(),
                })
            }
            (None, _, Err(message)) if part.role == Role::Unreadable => visit.unreadable(message),
            _ => match part.hold.as_ref()? {
                Hold::Refused(why) => visit.unrecorded(self.cluster, why),
                Hold::Gone => return None,
            },
        };
        Some((record, status))
    }

    /// What a leaving config has not let go of, and why.
    fn left(part: &Part, sent: &Sent) -> (BTreeSet<Claim>, Option<Trouble>) {
        let left = claims_after(part, sent);
        let trouble = sent.trouble(|node| concerns(part, &left, node));
        (left, trouble)
    }

    /// Writes every status that differs from the last one, and says what changed.
    #[tracing::instrument(skip_all)]
    pub(super) async fn report(&mut self, statuses: Vec<Written>) {
        let writer = &self.tools.writer;
        let writing = statuses.iter().map(|(record, status)| async move {
            let written = writer.status(record, status).await;
            (record, status, written)
        });
        for (record, status, written) in join_all(writing).await {
            match written {
                Ok(_) => self.after_report(record, status),
                // Somebody deleted it meanwhile; the watch will say so.
                Err(WriteError::Gone) => {}
                Err(error) => self.fail(error.category()),
            }
        }
    }

    fn after_report(&mut self, record: &Record, status: &OpenstackConfigStatus) {
        if let Some(generation) = delivered_generation(status) {
            self.memory.delivered.insert(record.uid.clone(), generation);
        }
        self.announce_changes(record, status);
    }
}

/// What a config answers for after the delivery.
fn claims_after(part: &Part, sent: &Sent) -> BTreeSet<Claim> {
    sent.plan
        .claims_after(&part.record.key, &part.claims, |node| sent.arrived(node))
}

fn departing(cast: &Cast) -> impl Iterator<Item = &Part> {
    cast.parts.values().filter(|part| part.departs())
}

fn concerns(part: &Part, claims: &BTreeSet<Claim>, node: &NodeName) -> bool {
    let mut all = part.claims.iter().chain(claims);
    all.any(|claim| claim.node_name == *node)
}

fn outcomes(part: &Part, sent: &Sent) -> BTreeMap<VmSelector, VmOutcome> {
    let key = &part.record.key;
    let Some(selection) = part.selection() else {
        return BTreeMap::new();
    };
    let of = |vm: &VmSelector| Some((vm.clone(), sent.plan.vms.get(&(key.clone(), vm.clone()))?.clone()));
    selection.vms.iter().filter_map(of).collect()
}

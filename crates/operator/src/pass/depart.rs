//! Letting go: a config that is deleted, or that was moved to another cluster, has nothing left here.
//!
//! It waits for the management API only so long. Then what is left goes onto the durable list, and the config is free.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use multinic_planner::Claim;

use super::{
    Pass, WriteError,
    cast::{Cast, Part, queued_key},
    deliver::Sent,
    names,
    next::Next,
};
use crate::{
    announce::Severity,
    departures::{Queued, RemovalsError},
    index::{Role, reference},
    settings::Current,
    status::{nodes::Known, trouble::Trouble},
};

/// What a leaving config has not let go of, and why.
pub(super) type Left = (BTreeSet<Claim>, Option<Trouble>);

/// What became of one departure.
enum Departure {
    /// It is over.
    Released,
    /// It waits; this much longer at most.
    Waits(Duration),
    /// It is over; what was left is on the list.
    Queued(Queued),
    /// It is over; what was left is lost, because the list is full.
    Lost(Queued),
}

/// Why a departure did not come about.
enum Obstacle {
    Write(WriteError),
    Removals(RemovalsError),
}

impl Pass<'_> {
    /// After a delivery.
    pub(super) async fn let_go(&mut self, current: &Current, departures: Vec<(Part, Left)>) -> Option<Next> {
        self.depart(current.settings.sync.deletion_timeout.duration(), departures)
            .await
    }

    /// Releases what has nothing left, and what has waited for long enough. Returns when to look again.
    pub(super) async fn depart(&mut self, patience: Duration, departures: Vec<(Part, Left)>) -> Option<Next> {
        self.note_leaving(&departures);
        let pass = &*self;
        let released = departures.into_iter().map(|(part, left)| async move {
            let departure = pass.release(&part, left, patience).await;
            (part, departure)
        });
        let mut next: Option<Next> = None;
        for (part, departure) in join_all(released).await {
            match departure {
                Ok(Departure::Waits(rest)) => {
                    self.again = true;
                    let deadline = Next::at(self.began + rest);
                    next = Some(deadline.or_before(next));
                }
                Ok(departure) => self.after_release(&part, &departure),
                Err(Obstacle::Write(error)) => self.fail(error.category()),
                Err(Obstacle::Removals(error)) => {
                    tracing::warn!(config = %part.record.key, %error, "a removal could not be queued");
                    self.fail("removals");
                }
            }
        }
        next
    }

    fn note_leaving(&mut self, departures: &[(Part, Left)]) {
        let moving = departures.iter().filter(|(part, _)| part.role == Role::Moving);
        let uids: BTreeSet<_> = moving.map(|(part, _)| part.record.uid.clone()).collect();
        self.memory.leaving.retain(|uid, _| uids.contains(uid));
        for uid in uids {
            self.memory.leaving.entry(uid).or_insert(self.now);
        }
    }

    async fn release(&self, part: &Part, (left, trouble): Left, patience: Duration) -> Result<Departure, Obstacle> {
        if left.is_empty() {
            self.free(part).await?;
            return Ok(Departure::Released);
        }
        let rest = self.rest(part, patience);
        if rest > Duration::ZERO {
            self.say_leaving(part, &left, trouble.as_ref()).await?;
            return Ok(Departure::Waits(rest));
        }
        let queued = Queued {
            uid: part.record.uid.clone(),
            key: part.record.key.clone(),
            cluster: self.cluster.clone(),
            since: self.now,
            claims: left,
        };
        // Durable first: a kill between the two repeats both.
        let departure = match self.tools.removals.add(queued.clone()).await {
            Ok(()) => Departure::Queued(queued),
            Err(RemovalsError::Full { .. }) => Departure::Lost(queued),
            Err(error) => return Err(Obstacle::Removals(error)),
        };
        self.free(part).await?;
        Ok(departure)
    }

    /// How much longer it may wait.
    fn rest(&self, part: &Part, patience: Duration) -> Duration {
        let since = part
            .record
            .deleted_at
            .or_else(|| self.memory.leaving.get(&part.record.uid).copied());
        let waited = since.map_or(SignedDuration::ZERO, |since: Timestamp| self.now.duration_since(since));
        let waited = Duration::try_from(waited).unwrap_or_default();
        patience.saturating_sub(waited)
    }

    /// A deleted config may go; a moved one belongs to no cluster any more and comes to its new one.
    async fn free(&self, part: &Part) -> Result<(), Obstacle> {
        let writer = &self.tools.writer;
        match part.role {
            Role::Deleted => writer.unmark(&part.record).await.map_err(Obstacle::Write),
            _ => self.say_leaving(part, &BTreeSet::new(), None).await,
        }
    }

    async fn say_leaving(&self, part: &Part, left: &BTreeSet<Claim>, why: Option<&Trouble>) -> Result<(), Obstacle> {
        let status = self
            .visit(part)
            .leaving(&Known::only(left, &part.record.status.nodes), why);
        match self.tools.writer.status(&part.record, &status).await {
            Ok(_) | Err(WriteError::Gone) => Ok(()),
            Err(error) => Err(Obstacle::Write(error)),
        }
    }

    fn after_release(&mut self, part: &Part, departure: &Departure) {
        self.memory.delivered.remove(&part.record.uid);
        let (severity, reason, note) = match departure {
            Departure::Released | Departure::Waits(_) => return,
            Departure::Queued(queued) => (
                Severity::Warning,
                "RemovalQueued",
                format!(
                    "the management API did not take the removal of {} in time; it is tried on until it does",
                    names(queued)
                ),
            ),
            Departure::Lost(queued) => (
                Severity::Warning,
                "RemovalLost",
                format!(
                    "too many removals wait already; withdraw these nodes by hand: {}",
                    names(queued)
                ),
            ),
        };
        tracing::warn!(config = %part.record.key, cluster = %self.cluster, reason, note);
        self.tools
            .announcer
            .announce(&part.record.reference(), severity, reason, note);
    }

    /// Takes what was withdrawn off the durable list.
    pub(super) async fn settle_queued(&mut self, cast: &Cast, sent: &Sent) {
        for queued in &cast.queued {
            let claims: Vec<_> = queued.claims.iter().cloned().collect();
            let left = sent
                .plan
                .claims_after(&queued_key(queued), &claims, |node| sent.arrived(node));
            match self.tools.removals.settle(queued, &left).await {
                Ok(true) => self.announce_settled(queued),
                Ok(false) => self.again = true,
                Err(error) => {
                    tracing::warn!(cluster = %self.cluster, %error, "the list of removals could not be written");
                    self.fail("removals");
                }
            }
        }
    }

    fn announce_settled(&self, queued: &Queued) {
        let note = format!("the removal of {} was delivered at last", names(queued));
        tracing::info!(config = %queued.key, cluster = %self.cluster, note);
        let object = reference(&queued.key, &queued.uid);
        self.tools
            .announcer
            .announce(&object, Severity::Normal, "RemovalDelivered", note);
    }

    /// The word for a mass removal was for this one.
    pub(super) async fn forget_permissions(&mut self, cast: &Cast) {
        let allowed = cast.parts.values().filter(|part| part.record.allows_mass_removal);
        let writer = &self.tools.writer;
        let forgotten = allowed.map(|part| async move { writer.forget_permission(&part.record).await });
        for result in join_all(forgotten).await {
            if let Err(error) = result
                && !matches!(error, WriteError::Gone)
            {
                self.fail(error.category());
            }
        }
    }
}

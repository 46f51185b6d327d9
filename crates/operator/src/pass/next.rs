//! When a cluster is due again.

use std::{collections::BTreeSet, time::Duration};

use multinic_model::{PortId, inventory::PortStatus};
use multinic_sync::settings::SyncSection;
use tokio::time::Instant;

use super::{Pass, deliver::Sent, gather::Gathered};
use crate::{
    engine::{Look, Wish},
    settings::Current,
};

/// A moment, and what is asked for then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// When.
    pub at: Instant,
    /// What.
    pub wish: Wish,
}

impl Next {
    /// Nothing special, at that moment.
    pub fn at(at: Instant) -> Self {
        Self {
            at,
            wish: Wish::default(),
        }
    }

    /// The earlier of the two.
    pub fn or_before(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.at < self.at => other,
            _ => self,
        }
    }
}

impl Pass<'_> {
    /// After a plan: the resync, or something that comes before it.
    pub(super) fn next(&mut self, current: &Current, gathered: &Gathered, sent: &Sent) -> Next {
        let sync = &current.settings.sync;
        let mut next = self.resync(sync, gathered);
        next = next.or_before(self.confirmation(sync, gathered, sent));
        next = next.or_before(self.wiring(sync, gathered, sent));
        let again = gathered.look_again_at.map(|at| Next {
            at,
            wish: Wish::of_hints(),
        });
        next.or_before(again).or_before(gathered.retry_at.map(Next::at))
    }

    /// The whole reading that may confirm a removal. However often something is hinted at meanwhile, it comes.
    fn confirmation(&mut self, sync: &SyncSection, gathered: &Gathered, sent: &Sent) -> Option<Next> {
        // A place that was not looked at now may be the one that something waits in.
        let waited = self.memory.confirm_at.is_some() && gathered.skipped;
        let awaits = waited || sent.plan.awaits_confirmation();
        let planned = self.memory.confirm_at.filter(|at| *at > self.began);
        let at = planned.unwrap_or_else(|| self.began + sync.confirmation_pause.duration());
        self.memory.confirm_at = awaits.then_some(at);
        let wish = Wish {
            fresh_since: Some(at),
            ..Wish::default()
        };
        self.memory.confirm_at.map(|at| Next { at, wish })
    }

    /// A look at ports that are not wired yet. What was hinted at does not put it off, and does not count as one.
    fn wiring(&mut self, sync: &SyncSection, gathered: &Gathered, sent: &Sent) -> Option<Next> {
        let (waits, planned) = if self.looks_at_hints() {
            (self.memory.wiring.0 != unwired(gathered, sent), self.memory.wiring_at)
        } else {
            (self.is_wiring(gathered, sent), None)
        };
        let pause = waits.then(|| (sync.interval.duration() / 5).max(self.tools.pace.wiring_pause));
        self.memory.wiring_at = planned.or_else(|| Some(self.began + pause?));
        let wish = Wish {
            look: Look::Everywhere,
            ..Wish::default()
        };
        self.memory.wiring_at.map(|at| Next { at, wish })
    }

    /// Whether ports that were taken up are not wired yet, so that their state is to be looked at again soon. Of those that
    /// never will be, this is not said for ever.
    fn is_wiring(&mut self, gathered: &Gathered, sent: &Sent) -> bool {
        let unwired = unwired(gathered, sent);
        let (known, looks) = &mut self.memory.wiring;
        if *known == unwired {
            *looks = looks.saturating_add(1);
        } else {
            (*known, *looks) = (unwired, 0);
        }
        !known.is_empty() && *looks < self.tools.pace.wiring_looks
    }

    /// The periodic pass. Clusters that share a project come together: they share its reading then, and what it shows is
    /// delivered to all of them at once.
    fn resync(&mut self, sync: &SyncSection, gathered: &Gathered) -> Next {
        if self.wish.read_back {
            self.memory.compared_at = Some(self.began);
        }
        let last = self.memory.compared_at.unwrap_or(self.began);
        let interval = sync.interval.duration();
        let wish = Wish {
            read_back: true,
            resync: true,
            ..Wish::default()
        };
        let earliest = (last + interval / 2).max(self.began + LEAST_PAUSE);
        let place = gathered.outcomes.keys().next();
        let at = self.tools.rhythm.next(place, interval, earliest);
        Next { at, wish }
    }
}

/// However short the interval: a cluster leaves the others their turn.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// The ports of the planned servers that are not wired.
fn unwired(gathered: &Gathered, sent: &Sent) -> BTreeSet<PortId> {
    let instances = sent.plan.vms.values().filter_map(|outcome| outcome.instance.as_ref());
    let instances: BTreeSet<_> = instances.collect();
    let inventories = gathered.outcomes.values().filter_map(|outcome| outcome.as_ref().ok());
    let ports = inventories.flat_map(|inventory| &inventory.ports);
    let unwired = ports.filter(|(_, port)| matches!(port.status, PortStatus::Down | PortStatus::Build));
    let ours = unwired.filter(|(_, port)| instances.contains(&port.device_id));
    ours.map(|(id, _)| *id).collect()
}

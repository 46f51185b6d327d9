//! When a cluster is due again.

use std::time::Duration;

use multinic_model::inventory::PortStatus;
use multinic_sync::settings::SyncSection;
use tokio::time::Instant;

use super::{Pass, deliver::Sent, gather::Gathered};
use crate::{engine::Wish, settings::Current};

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
        let mut next = self.resync(sync);
        if sent.plan.awaits_confirmation() {
            let at = self.began + sync.confirmation_pause.duration();
            let wish = Wish {
                fresh_since: Some(at),
                ..Wish::default()
            };
            next = next.or_before(Some(Next { at, wish }));
        }
        if is_wiring(gathered, sent) {
            let pause = (sync.interval.duration() / 5).max(self.tools.pace.wiring_pause);
            next = next.or_before(Some(Next::at(self.began + pause)));
        }
        next.or_before(gathered.retry_at.map(Next::at))
    }

    /// The periodic pass: an interval after the last one, up to a fifth later, so that clusters drift apart.
    fn resync(&mut self, sync: &SyncSection) -> Next {
        if self.wish.read_back {
            self.memory.compared_at = Some(self.began);
        }
        let last = self.memory.compared_at.unwrap_or(self.began);
        let interval = sync.interval.duration();
        let late = interval.mul_f64((self.tools.pace.random)().clamp(0.0, 1.0) / 5.0);
        let wish = Wish {
            read_back: true,
            resync: true,
            ..Wish::default()
        };
        let at = (last + interval + late).max(self.began + LEAST_PAUSE);
        Next { at, wish }
    }
}

/// However short the interval: a cluster leaves the others their turn.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// Whether a port that was taken up is not wired yet: its state is looked at again soon.
fn is_wiring(gathered: &Gathered, sent: &Sent) -> bool {
    let instances = sent.plan.vms.values().filter_map(|outcome| outcome.instance.as_ref());
    let instances: std::collections::BTreeSet<_> = instances.collect();
    let inventories = gathered.outcomes.values().filter_map(|outcome| outcome.as_ref().ok());
    let mut ports = inventories.flat_map(|inventory| inventory.ports.values());
    ports.any(|port| matches!(port.status, PortStatus::Down | PortStatus::Build) && instances.contains(&port.device_id))
}

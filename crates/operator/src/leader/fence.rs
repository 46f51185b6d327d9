//! Whether this replica may write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use multinic_transport::Gate;

use super::clock::{BootClock, Clock};

/// Says whether writing is allowed at this moment. It is asked immediately before every write, so that a leader that was
/// stopped and wakes up after its lease ran out writes nothing more. Clones share one state.
#[derive(Clone, Debug)]
pub struct Fence {
    clock: Arc<dyn Clock>,
    /// Nanoseconds on the clock; 0 is closed.
    deadline: Arc<AtomicU64>,
}

const CLOSED: u64 = 0;
const FOREVER: u64 = u64::MAX;

impl Fence {
    /// Closed, until somebody leads.
    pub fn closed(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            deadline: Arc::new(AtomicU64::new(CLOSED)),
        }
    }

    /// Open for good: for a single replica without leader election.
    pub fn always_open() -> Self {
        let fence = Self::closed(Arc::new(BootClock));
        fence.deadline.store(FOREVER, Ordering::SeqCst);
        fence
    }

    /// Whether writing is allowed now.
    pub fn is_open(&self) -> bool {
        let deadline = self.deadline.load(Ordering::SeqCst);
        deadline == FOREVER || self.clock.now() < Duration::from_nanos(deadline)
    }

    /// Open until `deadline` on the clock.
    pub(crate) fn open_until(&self, deadline: Duration) {
        let nanos = u64::try_from(deadline.as_nanos()).unwrap_or(FOREVER - 1);
        self.deadline.store(nanos.min(FOREVER - 1), Ordering::SeqCst);
    }

    /// Closed from now on.
    pub(crate) fn close(&self) {
        self.deadline.store(CLOSED, Ordering::SeqCst);
    }
}

impl Gate for Fence {
    fn is_open(&self) -> bool {
        self.is_open()
    }
}

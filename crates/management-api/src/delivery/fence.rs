//! How long this replica may still write: half a lease after it last said that it lives. A request that is under way then
//! has the other half to end.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Clones share one state; closed until it is opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Fence(Arc<Mutex<Option<Instant>>>);

impl Fence {
    /// `begun` is when the replica began to say that it lives.
    pub fn open(&self, begun: Instant, lease: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = begun.checked_add(lease / 2);
    }

    pub fn is_open(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}

//! What a reading of a place is.

use std::sync::Arc;

use multinic_model::inventory::Inventory;
use tokio::time::Instant;

use crate::PlaceError;

/// What a place said, or why it said nothing. Shared by everybody who plans from it.
pub type PlaceOutcome = Result<Arc<Inventory>, Arc<PlaceError>>;

/// One reading of one place.
#[derive(Debug)]
pub struct PlaceReading {
    /// Which one.
    pub id: ReadingId,
    /// When its first request was sent, at the earliest: what happened before, it has seen.
    pub began: Instant,
    /// What came of it.
    pub outcome: PlaceOutcome,
    /// When the place may be tried again; `None` after a success.
    pub retry_at: Option<Instant>,
}

/// Names a reading. A later reading of the same [`Readings`](crate::readings::Readings) has a greater id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ReadingId(pub(super) u64);

/// How fresh a reading has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Freshness {
    /// It began at this moment or later.
    pub not_before: Instant,
    /// It is newer than this one, from which a plan was made already.
    pub newer_than: Option<ReadingId>,
}

impl Freshness {
    /// Whether a reading that began so is fresh enough.
    pub(super) fn is_met(self, id: ReadingId, began: Instant) -> bool {
        began >= self.not_before && self.newer_than.is_none_or(|used| id > used)
    }
}

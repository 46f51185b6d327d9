//! A reading on its way: what it reads, what it takes along, and what it was asked for when it is over.

use std::sync::Arc;

use multinic_cloud::{Part, ReadRequest};
use multinic_model::inventory::Inventory;
use tokio::{task::AbortHandle, time::Instant};

use super::super::{Freshness, PlaceReading, ReadingId, hearsay::Taken};

/// What a reading is to read.
#[derive(Clone)]
pub(in super::super) struct Task {
    pub request: Arc<ReadRequest>,
    /// Where only a part of it is read: the rest.
    pub base: Option<(Arc<Inventory>, Part)>,
}

/// A reading that is over, with what it was asked for.
pub(super) struct Landed {
    pub serial: u64,
    pub reading: Arc<PlaceReading>,
    pub request: Arc<ReadRequest>,
}

/// A reading that somebody waits for.
pub(super) struct Flight {
    pub serial: u64,
    pub task: AbortHandle,
    /// `None` as long as it waits for its turn: whatever is wanted until then becomes part of it.
    pub began: Option<Departure>,
}

/// What a reading has set out with.
pub(super) struct Departure {
    pub id: ReadingId,
    pub at: Instant,
    pub task: Task,
    pub taken: Taken,
}

impl Departure {
    /// Of a reading that never began.
    pub fn never(id: ReadingId, at: Instant) -> Self {
        Self {
            id,
            at,
            task: Task {
                request: Arc::default(),
                base: None,
            },
            taken: Taken::default(),
        }
    }
}

impl Landed {
    /// A failure is about the place, whatever was asked for, and stands until the place may be tried again.
    pub fn answers(&self, wish: &ReadRequest, freshness: Freshness, nothing_new: bool, now: Instant) -> bool {
        match self.reading.retry_at {
            Some(retry_at) => now < retry_at,
            None => self.covers(wish) && freshness.is_met(&self.reading, nothing_new),
        }
    }

    pub fn covers(&self, wish: &ReadRequest) -> bool {
        self.request.subnets.is_superset(&wish.subnets) && self.request.vms.is_superset(&wish.vms)
    }
}

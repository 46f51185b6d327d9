//! One place: what is wanted of it, its last reading, and the one under way. Decides who is answered with what; no IO.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use multinic_cloud::ReadRequest;
use multinic_model::ClusterId;
use tokio::{sync::watch, task::AbortHandle, time::Instant};

use super::{Freshness, PlaceReading, ReadingId, ReadingsPace};
use crate::readings::PlaceOutcome;

/// What somebody who asks is told.
pub(super) enum Answer {
    Reading(Arc<PlaceReading>),
    /// A reading is under way; after it, ask again.
    Wait(watch::Receiver<()>),
    /// A reading has to be made; after it, ask again.
    Launch(watch::Receiver<()>),
}

/// The state of one place.
#[derive(Default)]
pub(super) struct Spot {
    wishes: BTreeMap<ClusterId, ReadRequest>,
    last: Option<Landed>,
    flight: Option<Flight>,
    /// In a row.
    failures: u32,
    landings: watch::Sender<()>,
}

/// A reading that is over, with what it was asked for.
struct Landed {
    serial: u64,
    reading: Arc<PlaceReading>,
    request: Arc<ReadRequest>,
}

struct Flight {
    serial: u64,
    task: AbortHandle,
    /// `None` as long as it waits for its turn: whatever is wanted until then becomes part of it.
    began: Option<Departure>,
}

#[derive(Clone)]
struct Departure {
    id: ReadingId,
    at: Instant,
    request: Arc<ReadRequest>,
}

impl Spot {
    pub fn wish(&mut self, cluster: &ClusterId, request: ReadRequest) {
        self.wishes.insert(cluster.clone(), request);
    }

    /// Says whether nobody wants anything any more.
    pub fn unwish(&mut self, cluster: &ClusterId) -> bool {
        self.wishes.remove(cluster);
        self.wishes.is_empty()
    }

    /// `None` for a cluster that does not want anything of this place.
    pub fn ask(&self, cluster: &ClusterId, freshness: Freshness, now: Instant) -> Option<Answer> {
        let wish = self.wishes.get(cluster)?;
        let answer = self.last.as_ref().filter(|last| last.answers(wish, freshness, now));
        Some(match (answer, &self.flight) {
            (Some(last), _) => Answer::Reading(Arc::clone(&last.reading)),
            (None, Some(_)) => Answer::Wait(self.landings.subscribe()),
            (None, None) => Answer::Launch(self.landings.subscribe()),
        })
    }

    pub fn launched(&mut self, serial: u64, task: AbortHandle) {
        self.flight = Some(Flight {
            serial,
            task,
            began: None,
        });
    }

    /// The reading's turn has come: it is asked for everything that is wanted now. `None` for one that was given up.
    pub fn depart(&mut self, serial: u64, id: ReadingId, at: Instant) -> Option<Arc<ReadRequest>> {
        let request = Arc::new(self.merged());
        let flight = self.flight.as_mut().filter(|flight| flight.serial == serial)?;
        flight.began = Some(Departure {
            id,
            at,
            request: Arc::clone(&request),
        });
        Some(request)
    }

    /// The reading is over. `id` names one that never began.
    pub fn land(
        &mut self,
        serial: u64,
        outcome: PlaceOutcome,
        (id, now): (ReadingId, Instant),
        pace: &ReadingsPace,
        jitter: f64,
    ) {
        let Some(flight) = self.flight.take_if(|flight| flight.serial == serial) else {
            return;
        };
        let Departure { id, at, request } = flight.began.unwrap_or_else(|| Departure {
            id,
            at: now,
            request: Arc::default(),
        });
        self.failures = match &outcome {
            Ok(_) => 0,
            Err(_) => self.failures.saturating_add(1),
        };
        let pause = NonZeroU32::new(self.failures).map(|failures| pace.pause(failures, jitter));
        let reading = PlaceReading {
            id,
            began: at,
            outcome,
            retry_at: pause.map(|pause| now + pause),
        };
        self.last = Some(Landed {
            serial,
            reading: Arc::new(reading),
            request,
        });
        self.landings.send_replace(());
    }

    /// A reading that answers nobody any more is not kept. A failure is small, and stands until the place may be tried again.
    pub fn expire(&mut self, serial: u64) {
        self.last
            .take_if(|last| last.serial == serial && last.reading.outcome.is_ok());
    }

    fn merged(&self) -> ReadRequest {
        let mut merged = ReadRequest::default();
        for ReadRequest { subnets, vms } in self.wishes.values() {
            merged.subnets.extend(subnets.iter().cloned());
            merged.vms.extend(vms.iter().cloned());
        }
        merged
    }
}

impl Landed {
    /// A failure is about the place, whatever was asked for, and stands until the place may be tried again.
    fn answers(&self, wish: &ReadRequest, freshness: Freshness, now: Instant) -> bool {
        match self.reading.retry_at {
            Some(retry_at) => now < retry_at,
            None => self.covers(wish) && freshness.is_met(self.reading.id, self.reading.began),
        }
    }

    fn covers(&self, wish: &ReadRequest) -> bool {
        self.request.subnets.is_superset(&wish.subnets) && self.request.vms.is_superset(&wish.vms)
    }
}

impl Drop for Spot {
    /// A reading that nobody waits for any more ends.
    fn drop(&mut self) {
        if let Some(flight) = &self.flight {
            flight.task.abort();
        }
    }
}

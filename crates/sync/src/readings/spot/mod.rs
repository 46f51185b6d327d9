//! One place: what is wanted of it, its last reading, the one under way, and what was hinted at. Decides who is answered with
//! what, and how much is read; no IO.

mod flight;
mod hear;

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use multinic_cloud::{Part, ReadRequest};
use multinic_model::{ClusterId, inventory::Inventory};
use multinic_planner::{News, Seen};
use tokio::{sync::watch, task::AbortHandle, time::Instant};

use super::{
    Freshness, PlaceOutcome, PlaceReading, ReadingId, ReadingsPace,
    concern::Interest,
    hearsay::{Hearsay, Taken},
};
pub(super) use flight::Task;
use flight::{Departure, Flight, Landed};

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
    /// Somebody needs everything to be read.
    whole_wanted: bool,
    hearsay: Hearsay,
    /// In a row.
    failures: u32,
    landings: watch::Sender<()>,
}

/// So many parts are put onto one whole reading, at most.
const PARTS: usize = 256;

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
    pub fn ask(&mut self, cluster: &ClusterId, freshness: Freshness, now: Instant) -> Option<Answer> {
        let wish = self.wishes.get(cluster)?;
        let nothing_new = !self.looks_into_hints() && !self.hearsay.is_waiting(now);
        let mut last = self.last.as_ref();
        last = last.filter(|last| last.answers(wish, freshness, nothing_new, now));
        if let Some(last) = last {
            return Some(Answer::Reading(Arc::clone(&last.reading)));
        }
        self.whole_wanted |= match (freshness.since.whole, self.departure()) {
            (None, _) => false,
            // The one under way may do.
            (Some(moment), Some(began)) => began.task.base.is_some() || began.at < moment,
            (Some(_), None) => true,
        };
        Some(match self.flight {
            Some(_) => Answer::Wait(self.landings.subscribe()),
            None => Answer::Launch(self.landings.subscribe()),
        })
    }

    /// Whether there is something to plan from that this reading did not say, or there will be when what was heard has been
    /// looked into.
    pub fn has_news(&self, planned_from: ReadingId, now: Instant) -> bool {
        let newer = self.last.as_ref().is_some_and(|last| last.reading.id > planned_from);
        newer || self.looks_into_hints() || self.hearsay.is_waiting(now)
    }

    fn departure(&self) -> Option<&Departure> {
        self.flight.as_ref()?.began.as_ref()
    }

    /// Whether the reading under way has taken hints along.
    fn looks_into_hints(&self) -> bool {
        self.departure().is_some_and(|began| !began.taken.is_empty())
    }

    pub fn launched(&mut self, serial: u64, task: AbortHandle) {
        self.flight = Some(Flight {
            serial,
            task,
            began: None,
        });
    }

    /// The reading's turn has come: it is asked for everything that is wanted now. `None` for one that was given up.
    pub fn depart(&mut self, serial: u64, id: ReadingId, at: Instant, pace: &ReadingsPace) -> Option<Task> {
        self.flight.as_ref().filter(|flight| flight.serial == serial)?;
        let request = Arc::new(self.merged());
        let taken = self.hearsay.take(at, &pace.hints);
        let base = self.base(&request, &taken);
        self.whole_wanted &= base.is_some();
        let task = Task { request, base };
        let flight = self.flight.as_mut()?;
        flight.began = Some(Departure {
            id,
            at,
            task: task.clone(),
            taken,
        });
        Some(task)
    }

    /// What need not be read again, and what must; `None` when everything must.
    fn base(&self, request: &ReadRequest, taken: &Taken) -> Option<(Arc<Inventory>, Part)> {
        let last = self
            .last
            .as_ref()
            .filter(|last| last.covers(request) && last.reading.news.len() < PARTS)?;
        let inventory = last.reading.outcome.as_ref().ok()?;
        if self.whole_wanted || taken.overflown {
            return None;
        }
        let interest = Interest::new(request, inventory);
        let mut part = Part::default();
        for concern in taken.heard.iter().filter_map(|heard| interest.concern(&heard.hint)) {
            part.servers.extend(concern.part.servers);
            part.ports.extend(concern.part.ports);
            part.subnets |= concern.part.subnets;
        }
        Some((Arc::clone(inventory), part))
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
        let departure = flight.began.unwrap_or_else(|| Departure::never(id, now));
        self.failures = match &outcome {
            Ok(_) => 0,
            Err(_) => self.failures.saturating_add(1),
        };
        let request = Arc::clone(&departure.task.request);
        let reading = match outcome {
            Ok(inventory) => self.succeeded(departure, inventory, now, pace),
            Err(error) => {
                let pause = NonZeroU32::new(self.failures).map(|failures| pace.pause(failures, jitter));
                self.hearsay.put_back(departure.taken, &pace.hints);
                PlaceReading {
                    id: departure.id,
                    began: departure.at,
                    outcome: Err(error),
                    retry_at: pause.map(|pause| now + pause),
                    whole_began: departure.at,
                    news: Vec::new(),
                    look_again_at: None,
                }
            }
        };
        self.last = Some(Landed {
            serial,
            reading: Arc::new(reading),
            request,
        });
        self.landings.send_replace(());
    }

    fn succeeded(
        &mut self,
        departure: Departure,
        inventory: Arc<Inventory>,
        now: Instant,
        pace: &ReadingsPace,
    ) -> PlaceReading {
        let Departure { id, at, task, taken } = departure;
        let announced = self.announced(&task.request, &taken, &inventory);
        let before = self.last.as_ref().map(|last| &last.reading);
        let (seen, whole_began, mut news) = match (task.base, before) {
            (Some((_, part)), Some(before)) => (seen(part, &inventory), before.whole_began, before.news.clone()),
            (None, Some(before)) => (Seen::Everything, at, before.announced_since_whole()),
            (_, None) => (Seen::Everything, at, Vec::new()),
        };
        news.push((id, News { seen, announced }));
        let interest = Interest::new(&task.request, &inventory);
        let mut look_again_at: Option<Instant> = None;
        for heard in taken.heard {
            if !interest.shows(&heard.hint) {
                let again = self.hearsay.missed(heard, now, &pace.hints);
                look_again_at = look_again_at.into_iter().chain(again).min();
            }
        }
        PlaceReading {
            id,
            began: at,
            outcome: Ok(inventory),
            retry_at: None,
            whole_began,
            news,
            look_again_at,
        }
    }

    fn inventory(&self) -> Option<Arc<Inventory>> {
        self.last.as_ref()?.reading.outcome.as_ref().ok().cloned()
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

/// What a part has looked at. A look at the subnets includes the ports of every server.
fn seen(part: Part, inventory: &Inventory) -> Seen {
    let Part {
        servers,
        mut ports,
        subnets,
    } = part;
    if subnets {
        ports = inventory.servers.keys().cloned().collect();
    }
    Seen::Part { servers, ports }
}

impl Drop for Spot {
    /// A reading that nobody waits for any more ends.
    fn drop(&mut self) {
        if let Some(flight) = &self.flight {
            flight.task.abort();
        }
    }
}

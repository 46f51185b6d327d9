//! The readings of a pass: each project as fresh as the pass needs it, and what the management API has.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::{join, join_all};
use multinic_delivery::DeliveryError;
use multinic_model::Earlier;
use multinic_sync::{
    Place, PlaceError,
    readings::{Freshness, PlaceOutcome, ReadingId, wishes},
};
use tokio::time::{Instant, timeout};

use super::Pass;
use crate::{
    pass::cast::Cast,
    settings::Current,
    status::{Sight, trouble::Trouble},
};

/// Everything that was read.
pub struct Gathered {
    /// By place: the inventory, or why there is none.
    pub outcomes: BTreeMap<Place, PlaceOutcome>,
    /// Which readings these are; only complete ones.
    pub ids: BTreeMap<Place, ReadingId>,
    /// The places that the pass did not wait for, and what it wanted of them.
    pub slow: Vec<(Place, Freshness)>,
    /// When a place that failed is read again, at the earliest.
    pub retry_at: Option<Instant>,
    /// What the management API has.
    pub earlier: Result<Arc<Earlier>, Arc<DeliveryError>>,
    /// The management API was asked and has no GET.
    pub no_read_back: bool,
}

impl Gathered {
    /// How far a place was read.
    pub fn sight(&self, place: &Place) -> Sight {
        match self.outcomes.get(place) {
            Some(Ok(_)) => Sight::Read,
            Some(Err(error)) => match **error {
                PlaceError::Slow { .. } | PlaceError::Abandoned => Sight::Pending,
                ref error => Sight::Failed(Trouble::of_place(error)),
            },
            None => Sight::Pending,
        }
    }

    /// Whether every place was read.
    pub fn is_complete(&self) -> bool {
        self.outcomes.values().all(Result::is_ok)
    }
}

/// One place of one pass.
enum Sought {
    Answered(Arc<multinic_sync::readings::PlaceReading>),
    Slow(Freshness),
}

impl Pass<'_> {
    /// Reads everything that the cast needs, side by side, for at most the patience of the pace.
    pub async fn gather(&self, current: &Current, cast: &Cast) -> Gathered {
        let wishes = wishes(&cast.configs(self.cluster));
        let places: Vec<Place> = wishes.keys().cloned().collect();
        current.readings.want(self.cluster, wishes);
        let sought = join_all(places.into_iter().map(|place| async {
            let sought = self.seek(current, &place).await;
            (place, sought)
        }));
        let (sought, (earlier, no_read_back)) = join(sought, self.read_back(current)).await;
        self.sort(sought, earlier, no_read_back)
    }

    async fn seek(&self, current: &Current, place: &Place) -> Sought {
        let freshness = Freshness {
            not_before: self.not_before(current),
            newer_than: self.memory.planned_from.get(place).copied(),
        };
        let reading = current.readings.reading(self.cluster, place, freshness);
        match timeout(self.tools.pace.patience, reading).await {
            Ok(reading) => Sought::Answered(reading),
            Err(_) => Sought::Slow(freshness),
        }
    }

    /// After an event: what began after it. Otherwise what is younger than a fifth of the interval will do.
    fn not_before(&self, current: &Current) -> Instant {
        let recent = current.settings.sync.interval.duration() / 5;
        let recent = self.began.checked_sub(recent).unwrap_or(self.began);
        self.memory.owed_since.unwrap_or(recent)
    }

    fn sort(
        &self,
        sought: Vec<(Place, Sought)>,
        earlier: Result<Arc<Earlier>, Arc<DeliveryError>>,
        no_read_back: bool,
    ) -> Gathered {
        let mut gathered = Gathered {
            outcomes: BTreeMap::new(),
            ids: BTreeMap::new(),
            slow: Vec::new(),
            retry_at: None,
            earlier,
            no_read_back,
        };
        for (place, sought) in sought {
            let outcome = match sought {
                Sought::Slow(freshness) => {
                    gathered.slow.push((place.clone(), freshness));
                    let patience = self.tools.pace.patience;
                    Err(Arc::new(PlaceError::Slow { patience }))
                }
                Sought::Answered(reading) => {
                    if reading.outcome.is_ok() {
                        gathered.ids.insert(place.clone(), reading.id);
                    }
                    gathered.retry_at = gathered.retry_at.into_iter().chain(reading.retry_at).min();
                    reading.outcome.clone()
                }
            };
            gathered.outcomes.insert(place, outcome);
        }
        gathered
    }

    /// What the management API has: as it says, or as it has acknowledged. Of one that has no GET the latter is all that
    /// is known.
    async fn read_back(&self, current: &Current) -> (Result<Arc<Earlier>, Arc<DeliveryError>>, bool) {
        let remembered = self.memory.earlier.clone();
        if let Some(earlier) = remembered.clone().filter(|_| !self.wish.read_back) {
            return (Ok(earlier), self.memory.no_read_back);
        }
        let answer = multinic_sync::read_back(&current.connections, self.cluster).await;
        match answer {
            Ok(Earlier::NotOffered) => (Ok(remembered.unwrap_or_else(|| Arc::new(Earlier::NotOffered))), true),
            Ok(earlier) => (Ok(Arc::new(earlier)), false),
            Err(error) => (Err(error), false),
        }
    }
}

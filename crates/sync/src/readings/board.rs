//! All places, and the turns of each provider.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::Arc,
};

use multinic_cloud::ReadRequest;
use multinic_model::{ClusterId, ProviderId};
use tokio::{sync::Semaphore, task::AbortHandle, time::Instant};

use super::{
    Freshness, PlaceReading, ReadingId,
    spot::{Answer, Spot},
};
use crate::{Place, PlaceError};

/// Every place that somebody wants something of.
pub(super) struct Board {
    places: BTreeMap<Place, Spot>,
    at_once: NonZeroUsize,
    turns: BTreeMap<ProviderId, Arc<Semaphore>>,
    serial: u64,
    readings: u64,
}

impl Board {
    pub fn new(at_once: NonZeroUsize) -> Self {
        Self {
            places: BTreeMap::new(),
            at_once,
            turns: BTreeMap::new(),
            serial: 0,
            readings: 0,
        }
    }

    /// Gives back the places that nobody wants any more.
    #[must_use]
    pub fn want(&mut self, cluster: &ClusterId, wishes: BTreeMap<Place, ReadRequest>) -> BTreeMap<Place, Spot> {
        let unwanted = |place: &Place, spot: &mut Spot| !wishes.contains_key(place) && spot.unwish(cluster);
        let unwanted = self.places.extract_if(.., unwanted).collect();
        for (place, request) in wishes {
            self.places.entry(place).or_default().wish(cluster, request);
        }
        let providers: BTreeSet<_> = self.places.keys().map(|place| &place.provider).collect();
        self.turns.retain(|provider, _| providers.contains(provider));
        unwanted
    }

    /// Gives back all places.
    #[must_use]
    pub fn clear(&mut self) -> BTreeMap<Place, Spot> {
        std::mem::take(&mut self.places)
    }

    pub fn ask(&mut self, cluster: &ClusterId, place: &Place, freshness: Freshness, now: Instant) -> Answer {
        let spot = self.places.get(place);
        let answer = spot.and_then(|spot| spot.ask(cluster, freshness, now));
        answer.unwrap_or_else(|| {
            Answer::Reading(Arc::new(PlaceReading {
                id: self.next_id(),
                began: now,
                outcome: Err(Arc::new(PlaceError::Abandoned)),
                retry_at: None,
            }))
        })
    }

    /// Begins a reading of a place that somebody wants.
    pub fn launch(&mut self, place: &Place, spawn: impl FnOnce(u64, Arc<Semaphore>) -> AbortHandle) {
        let Some(spot) = self.places.get_mut(place) else {
            return;
        };
        self.serial += 1;
        let turns = self.turns.entry(place.provider.clone());
        let turns = turns.or_insert_with(|| Arc::new(Semaphore::new(self.at_once.get())));
        spot.launched(self.serial, spawn(self.serial, Arc::clone(turns)));
    }

    pub fn next_id(&mut self) -> ReadingId {
        self.readings += 1;
        ReadingId(self.readings)
    }

    pub fn spot(&mut self, place: &Place) -> Option<&mut Spot> {
        self.places.get_mut(place)
    }
}

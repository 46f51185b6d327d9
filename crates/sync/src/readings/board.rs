//! All places, and the turns of each provider.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::Arc,
};

use multinic_cloud::ReadRequest;
use multinic_model::{ClusterId, ProviderId};
use multinic_notifications::Hint;
use tokio::{sync::Semaphore, task::AbortHandle, time::Instant};

use super::{
    Freshness, PlaceReading, ReadingId, ReadingsPace,
    spot::{Answer, Spot},
};
use crate::{Place, PlaceError};

/// Whom hints concern.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Audience {
    /// The clusters that they may concern, each with the moment when it is worth asking for a reading that has looked into
    /// them ([`Since::hints`](super::Since::hints)).
    pub due: BTreeMap<ClusterId, Instant>,
    /// How many of the hints are known to concern any.
    pub concerning: usize,
}

/// Every place that somebody wants something of.
pub(super) struct Board {
    places: BTreeMap<Place, Spot>,
    at_once: NonZeroUsize,
    turns: BTreeMap<ProviderId, Arc<Semaphore>>,
    serial: u64,
    readings: u64,
    /// Providers that announce what changes: their inventories are kept, to be brought up to date part by part.
    announcing: BTreeSet<ProviderId>,
}

impl Board {
    pub fn new(at_once: NonZeroUsize) -> Self {
        Self {
            places: BTreeMap::new(),
            at_once,
            turns: BTreeMap::new(),
            serial: 0,
            readings: 0,
            announcing: BTreeSet::new(),
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
        self.announcing.retain(|provider| providers.contains(provider));
        unwanted
    }

    /// Gives back all places.
    #[must_use]
    pub fn clear(&mut self) -> BTreeMap<Place, Spot> {
        std::mem::take(&mut self.places)
    }

    pub fn ask(&mut self, cluster: &ClusterId, place: &Place, freshness: Freshness, now: Instant) -> Answer {
        let spot = self.places.get_mut(place);
        let answer = spot.and_then(|spot| spot.ask(cluster, freshness, now));
        answer.unwrap_or_else(|| {
            Answer::Reading(Arc::new(PlaceReading {
                id: self.next_id(),
                began: now,
                outcome: Err(Arc::new(PlaceError::Abandoned)),
                retry_at: None,
                whole_began: now,
                news: Vec::new(),
                look_again_at: None,
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

    /// A provider announces what changes from now on.
    pub fn announces(&mut self, provider: &ProviderId) {
        if !self.announcing.contains(provider) {
            self.announcing.insert(provider.clone());
        }
    }

    /// Hands hints to the places of a provider.
    pub fn hear(&mut self, provider: &ProviderId, hints: &[Hint], now: Instant, pace: &ReadingsPace) -> Audience {
        let mut concerning = vec![false; hints.len()];
        let mut due = BTreeMap::new();
        let places = self.places.iter_mut().filter(|(place, _)| place.provider == *provider);
        for (_, spot) in places {
            for (cluster, at) in spot.hear(hints, &mut concerning, now, pace) {
                let earliest = due.entry(cluster).or_insert(at);
                *earliest = at.min(*earliest);
            }
        }
        Audience {
            due,
            concerning: concerning.into_iter().filter(|concerning| *concerning).count(),
        }
    }

    /// The life of a reading is over.
    pub fn expire(&mut self, place: &Place, serial: u64) {
        let kept = self.announcing.contains(&place.provider);
        if let Some(spot) = self.places.get_mut(place).filter(|_| !kept) {
            spot.expire(serial);
        }
    }

    pub fn next_id(&mut self) -> ReadingId {
        self.readings += 1;
        ReadingId(self.readings)
    }

    pub fn spot(&mut self, place: &Place) -> Option<&mut Spot> {
        self.places.get_mut(place)
    }
}

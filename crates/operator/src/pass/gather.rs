//! The readings of a pass: each project as fresh as the pass needs it, and what the management API has.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::{join, join_all};
use multinic_cloud::ReadRequest;
use multinic_delivery::DeliveryError;
use multinic_model::Earlier;
use multinic_planner::News;
use multinic_sync::{
    Place, PlaceError,
    readings::{Freshness, PlaceOutcome, PlaceReading, ReadingId, ReadingsPace, Since},
};
use tokio::time::{Instant, timeout};

use super::Pass;
use crate::{
    engine::Look,
    settings::Current,
    status::{Sight, trouble::Trouble},
};

/// Everything that was read.
pub struct Gathered {
    /// By place: the inventory, or why there is none.
    pub outcomes: BTreeMap<Place, PlaceOutcome>,
    /// Which readings these are; only complete ones.
    pub ids: BTreeMap<Place, ReadingId>,
    /// What of them is new since the last plan; only complete ones.
    pub news: BTreeMap<Place, News>,
    /// A place was not asked, because nothing asked for it.
    pub skipped: bool,
    /// Nothing that was asked of a place is left open. A place that nobody asked for does not count.
    pub answered: bool,
    /// The places that the pass did not wait for, and what it wanted of them.
    pub slow: Vec<(Place, Freshness)>,
    /// When a place that failed is read again, at the earliest.
    pub retry_at: Option<Instant>,
    /// When it is looked again for something that was announced and is not to be seen yet.
    pub look_again_at: Option<Instant>,
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

    /// Whether every place was read for this very pass.
    pub fn is_complete(&self) -> bool {
        self.outcomes.values().all(Result::is_ok)
    }
}

/// One place of one pass.
enum Sought {
    Answered(Arc<PlaceReading>),
    Slow(Freshness),
    Unwanted,
}

impl Pass<'_> {
    /// Reads everything that is asked for, side by side, for at most the patience of the pace.
    #[tracing::instrument(name = "read", skip_all)]
    pub async fn gather(&self, current: &Current, wishes: BTreeMap<Place, ReadRequest>) -> Gathered {
        let places: Vec<Place> = wishes.keys().cloned().collect();
        current.readings.want(self.cluster, wishes);
        let sought = join_all(places.into_iter().map(|place| async {
            let sought = self.seek(current, &place).await;
            (place, sought)
        }));
        let (sought, (earlier, no_read_back)) = join(sought, self.read_back(current)).await;
        self.sort(sought, earlier, no_read_back)
    }

    /// Which places are to be read, and since when. A place that was planned from and that nothing new asks for is left
    /// alone: places that take turns in being slow would else be read without end.
    pub fn want(&mut self, current: &Current, wishes: &BTreeMap<Place, ReadRequest>) {
        let whole = Since {
            whole: Some(self.not_before(current)),
            hints: self.began,
        };
        let all = self.wish.look == Look::Everywhere || self.wish.resync || self.wish.fresh_since.is_some();
        self.memory.planned_from.retain(|place, _| wishes.contains_key(place));
        self.memory.wanted.retain(|place, _| wishes.contains_key(place));
        for place in wishes.keys() {
            let hinted =
                |planned_from| self.wish.look == Look::Hinted && current.readings.has_news(place, planned_from);
            let since = match self.memory.planned_from.get(place) {
                Some(planned_from) if !all => hinted(*planned_from).then_some(Since::hints(self.began)),
                _ => Some(whole),
            };
            if let Some(since) = since {
                let wanted = self.memory.wanted.entry(place.clone()).or_insert(since);
                *wanted = since.and(*wanted);
            }
        }
    }

    async fn seek(&self, current: &Current, place: &Place) -> Sought {
        let Some(since) = self.memory.wanted.get(place) else {
            return Sought::Unwanted;
        };
        let freshness = Freshness {
            since: *since,
            newer_than: self.memory.planned_from.get(place).copied(),
        };
        let reading = current.readings.reading(self.cluster, place, freshness);
        match timeout(self.tools.pace.patience, reading).await {
            Ok(reading) => Sought::Answered(reading),
            Err(_) => Sought::Slow(freshness),
        }
    }

    /// After an event: what began after it. Otherwise what is recent will do.
    fn not_before(&self, current: &Current) -> Instant {
        let recent = ReadingsPace::recent(current.settings.sync.interval.duration());
        let recent = self.began.checked_sub(recent).unwrap_or(self.began);
        self.wish.fresh_since.unwrap_or(recent)
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
            news: BTreeMap::new(),
            skipped: false,
            answered: true,
            slow: Vec::new(),
            retry_at: None,
            look_again_at: None,
            earlier,
            no_read_back,
        };
        for (place, sought) in sought {
            let outcome = match sought {
                Sought::Unwanted => {
                    gathered.skipped = true;
                    not_waited_for(Duration::ZERO)
                }
                Sought::Slow(freshness) => {
                    gathered.answered = false;
                    gathered.slow.push((place.clone(), freshness));
                    not_waited_for(self.tools.pace.patience)
                }
                Sought::Answered(reading) => {
                    match &reading.outcome {
                        Ok(_) => {
                            let planned_from = self.memory.planned_from.get(&place).copied();
                            gathered.ids.insert(place.clone(), reading.id);
                            gathered.news.insert(place.clone(), reading.news_since(planned_from));
                        }
                        Err(error) => {
                            gathered.answered = false;
                            self.tools.metrics.failure(error.category());
                        }
                    }
                    gathered.retry_at = gathered.retry_at.into_iter().chain(reading.retry_at).min();
                    let again = gathered.look_again_at.into_iter().chain(reading.look_again_at);
                    gathered.look_again_at = again.min();
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
        // The semaphore is never closed.
        let _permit = self.tools.read_backs.acquire().await;
        let answer = multinic_sync::read_back(&current.connections, self.cluster).await;
        match answer {
            Ok(Earlier::NotOffered) => (Ok(remembered.unwrap_or_else(|| Arc::new(Earlier::NotOffered))), true),
            Ok(earlier) => (Ok(Arc::new(earlier)), false),
            Err(error) => (Err(error), false),
        }
    }
}

fn not_waited_for(patience: Duration) -> PlaceOutcome {
    Err(Arc::new(PlaceError::Slow { patience }))
}

//! What a reading of a place is.

use std::sync::Arc;

use multinic_model::inventory::Inventory;
use multinic_planner::{Announced, News, Seen};
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
    /// When the last whole reading began of which this one consists, at least in part.
    pub whole_began: Instant,
    /// The whole reading and those of parts since then, in their order, each with its own news.
    pub(super) news: Vec<(ReadingId, News)>,
    /// When it is looked again, because something that was announced is not to be seen yet.
    pub look_again_at: Option<Instant>,
}

impl PlaceReading {
    /// What it says that this earlier reading did not say; `None`: everything.
    pub fn news_since(&self, planned_from: Option<ReadingId>) -> News {
        let mut all = News::none();
        let new = |id: ReadingId| planned_from.is_none_or(|used| id > used);
        for (_, news) in self.news.iter().filter(|(id, _)| new(*id)) {
            all.extend(news);
        }
        all
    }

    /// What was announced since everything was read: who has not planned from the parts since then learns it from the next
    /// whole reading.
    pub(super) fn announced_since_whole(&self) -> Vec<(ReadingId, News)> {
        let parts = self
            .news
            .iter()
            .rev()
            .take_while(|(_, news)| news.seen != Seen::Everything);
        let announced = parts.filter(|(_, news)| news.announced != Announced::default());
        let mut announced: Vec<_> = announced
            .map(|(id, news)| {
                let announced = News {
                    announced: news.announced.clone(),
                    ..News::none()
                };
                (*id, announced)
            })
            .collect();
        announced.reverse();
        announced
    }
}

/// Names a reading. A later reading of the same [`Readings`](crate::readings::Readings) has a greater id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ReadingId(pub(super) u64);

/// How fresh a reading has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Freshness {
    /// When it has to have begun.
    pub since: Since,
    /// It is newer than this one, from which a plan was made already.
    pub newer_than: Option<ReadingId>,
}

/// When a reading has to have begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Since {
    /// It began as a whole at this moment or later; `None`: of what was not hinted at it may be as old as it likes.
    pub whole: Option<Instant>,
    /// It has looked at everything that was hinted at before this moment.
    pub hints: Instant,
}

impl Since {
    /// Everything is as it was at this moment or later.
    pub const fn whole(moment: Instant) -> Self {
        Self {
            whole: Some(moment),
            hints: moment,
        }
    }

    /// What was hinted at is.
    pub const fn hints(moment: Instant) -> Self {
        Self {
            whole: None,
            hints: moment,
        }
    }

    /// What both ask for.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            whole: self.whole.max(other.whole),
            hints: self.hints.max(other.hints),
        }
    }
}

impl Freshness {
    /// Whether this reading is fresh enough, if nothing was hinted at since it began.
    pub(super) fn is_met(self, reading: &PlaceReading, nothing_new: bool) -> bool {
        let Since { whole, hints } = self.since;
        whole.is_none_or(|moment| reading.whole_began >= moment)
            && (nothing_new || reading.began >= hints)
            && self.newer_than.is_none_or(|used| reading.id > used)
    }
}

//! The hints that no reading of a place has looked into yet, and when it is time to. Pure.

use std::{collections::BTreeMap, mem, time::Duration};

use multinic_notifications::{Hint, Subject};
use tokio::time::Instant;

/// Hints of one place.
#[derive(Default, Debug)]
pub(super) struct Hearsay {
    heard: BTreeMap<Subject, Heard>,
    /// What a reading did not show yet: to be looked at again from this moment on.
    later: BTreeMap<Subject, (Instant, Heard)>,
    /// There were too many: everything may have changed.
    overflown: bool,
    tempo: Tempo,
}

/// What a reading takes along.
#[derive(Default, Debug)]
pub(super) struct Taken {
    pub heard: Vec<Heard>,
    /// Everything may have changed.
    pub overflown: bool,
}

/// A hint, and how many readings did not show what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Heard {
    pub hint: Hint,
    pub misses: usize,
}

/// How often readings are made because of hints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HintPace {
    /// So long the first hint waits for others of the same change.
    pub hold: Duration,
    /// The shortest time from one such reading of a place to the next. It doubles while they follow one another.
    pub first_gap: Duration,
    /// At most to this.
    pub longest_gap: Duration,
    /// When it is looked again for what a reading did not show, after each miss; after the last one nobody waits for it
    /// any more.
    pub looks: [Duration; 2],
    /// So many things per place are told from one another; beyond it, everything is read.
    pub subjects: usize,
}

impl Default for HintPace {
    fn default() -> Self {
        Self {
            hold: Duration::from_millis(50),
            first_gap: Duration::from_millis(250),
            longest_gap: Duration::from_secs(5),
            looks: [Duration::from_millis(500), Duration::from_secs(2)],
            subjects: 5_000,
        }
    }
}

impl Hearsay {
    /// Takes in a hint.
    pub fn add(&mut self, heard: Heard, pace: &HintPace) {
        let subject = heard.hint.subject();
        // What came later is merged into what came before.
        let earlier = self
            .heard
            .remove(&subject)
            .or_else(|| self.later.remove(&subject).map(|(_, heard)| heard));
        let merged = match earlier {
            Some(mut earlier) => {
                earlier.hint.merge(heard.hint);
                earlier.misses = 0;
                earlier
            }
            None => heard,
        };
        self.heard.insert(subject, merged);
        if self.heard.len() > pace.subjects {
            self.heard.clear();
            self.overflown = true;
        }
    }

    /// When a reading for what was heard is worth it.
    pub fn due(&mut self, now: Instant, pace: &HintPace) -> Instant {
        self.tempo.due(now, pace)
    }

    /// Whether something is to be looked at now.
    pub fn is_waiting(&self, now: Instant) -> bool {
        self.overflown || !self.heard.is_empty() || self.later.values().any(|(at, _)| *at <= now)
    }

    /// A reading begins: it looks at everything that was heard.
    pub fn take(&mut self, now: Instant, pace: &HintPace) -> Taken {
        let later = mem::take(&mut self.later).into_values().map(|(_, heard)| heard);
        let taken = Taken {
            heard: mem::take(&mut self.heard).into_values().chain(later).collect(),
            overflown: mem::take(&mut self.overflown),
        };
        if !taken.is_empty() {
            self.tempo.departed(now, pace);
        }
        taken
    }

    /// A reading has failed: what it took is to be looked at by the next one.
    pub fn put_back(&mut self, taken: Taken, pace: &HintPace) {
        self.overflown |= taken.overflown;
        let newer = mem::take(&mut self.heard);
        for heard in taken.heard.into_iter().chain(newer.into_values()) {
            self.add(heard, pace);
        }
    }

    /// A reading did not show what this hint says. Says when to look again; `None`: it is believed no longer.
    pub fn missed(&mut self, mut heard: Heard, now: Instant, pace: &HintPace) -> Option<Instant> {
        let pause = pace.looks.get(heard.misses)?;
        heard.misses += 1;
        let (at, subject) = (now + *pause, heard.hint.subject());
        // What was heard since is newer, and is looked at anyway.
        if !self.heard.contains_key(&subject) {
            self.later.insert(subject, (at, heard));
        }
        Some(at)
    }
}

impl Taken {
    /// Whether nothing was heard.
    pub fn is_empty(&self) -> bool {
        !self.overflown && self.heard.is_empty()
    }
}

/// The first hint after a quiet time is followed at once; a storm is not.
#[derive(Default, Debug)]
struct Tempo {
    due: Option<Instant>,
    last: Option<Instant>,
    gap: Duration,
}

impl Tempo {
    fn due(&mut self, now: Instant, pace: &HintPace) -> Instant {
        let earliest = self.last.map_or(now, |last| last + self.gap);
        *self.due.get_or_insert_with(|| earliest.max(now + pace.hold))
    }

    fn departed(&mut self, now: Instant, pace: &HintPace) {
        let follows = self.last.is_some_and(|last| now < last + self.gap * 2);
        self.gap = if follows {
            (self.gap * 2).min(pace.longest_gap)
        } else {
            pace.first_gap
        };
        self.last = Some(now);
        self.due = None;
    }
}

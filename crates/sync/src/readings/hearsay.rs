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
    /// Something of it may be to be seen already.
    urgent: bool,
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
    /// So long one waits that only says what is about to be done. A look that comes too early finds nothing, and slows down
    /// what it waits for.
    pub hold_ahead: Duration,
    /// The shortest time from one such reading of a place to the next.
    pub shortest_gap: Duration,
    /// The longest, however much is hinted at.
    pub longest_gap: Duration,
    /// So many small readings may follow one another at the shortest gap; one with more to look at counts as several.
    pub burst: u32,
    /// After this long, one more may.
    pub regain: Duration,
    /// When it is looked again for what a reading did not show, after each miss; after the last one nobody waits for it
    /// any more.
    pub looks: [Duration; 5],
    /// So many things per place are told from one another; beyond it, everything is read.
    pub subjects: usize,
}

impl Default for HintPace {
    fn default() -> Self {
        Self {
            hold: Duration::from_millis(20),
            hold_ahead: Duration::from_millis(150),
            shortest_gap: Duration::from_millis(250),
            longest_gap: Duration::from_secs(5),
            burst: 8,
            regain: Duration::from_millis(300),
            looks: [80, 120, 200, 600, 2000].map(Duration::from_millis),
            subjects: 5_000,
        }
    }
}

impl Hearsay {
    /// Takes in a hint.
    pub fn add(&mut self, heard: Heard, pace: &HintPace) {
        let subject = heard.hint.subject();
        self.urgent |= !heard.hint.is_ahead();
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
        let hold = if self.urgent { pace.hold } else { pace.hold_ahead };
        self.tempo.due(now, hold, pace)
    }

    /// Whether something is to be looked at now.
    pub fn is_waiting(&self, now: Instant) -> bool {
        self.overflown || !self.heard.is_empty() || self.later.values().any(|(at, _)| *at <= now)
    }

    /// A reading begins: it looks at everything that was heard.
    pub fn take(&mut self, now: Instant, pace: &HintPace) -> Taken {
        self.urgent = false;
        let later = mem::take(&mut self.later).into_values().map(|(_, heard)| heard);
        let taken = Taken {
            heard: mem::take(&mut self.heard).into_values().chain(later).collect(),
            overflown: mem::take(&mut self.overflown),
        };
        let new = taken.heard.iter().filter(|heard| heard.misses == 0).count();
        if new > 0 || taken.overflown {
            self.tempo.departed(now, new, pace);
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

/// Changes that come one after the other are each followed at once; a storm is not. Every reading spends of a stock that
/// fills up with time: the more it looks at, the more.
#[derive(Default, Debug)]
struct Tempo {
    due: Option<Instant>,
    last: Option<Instant>,
    /// When the stock is full again.
    full: Option<Instant>,
}

/// So many hints make a reading count as one more.
const SMALL: usize = 8;

impl Tempo {
    /// Who comes later may be in more of a hurry, and puts nobody off.
    fn due(&mut self, now: Instant, hold: Duration, pace: &HintPace) -> Instant {
        let mine = self.earliest(now, pace).max(now + hold);
        *self.due.insert(self.due.map_or(mine, |due| due.min(mine)))
    }

    fn earliest(&self, now: Instant, pace: &HintPace) -> Instant {
        let (Some(last), Some(full)) = (self.last, self.full) else {
            return now;
        };
        let enough = full.checked_sub(pace.reserve()).unwrap_or(last);
        enough.clamp(last + pace.shortest_gap, last + pace.longest_gap)
    }

    fn departed(&mut self, now: Instant, hints: usize, pace: &HintPace) {
        let readings = u32::try_from(1 + hints / SMALL).unwrap_or(u32::MAX);
        let full = self.full.map_or(now, |full| full.max(now));
        let spent = full + pace.regain.saturating_mul(readings.min(1 << 16));
        self.full = Some(spent.min(now + pace.longest_gap + pace.reserve()));
        self.last = Some(now);
        self.due = None;
    }
}

impl HintPace {
    /// The time in which all of the stock but one reading comes back.
    fn reserve(&self) -> Duration {
        self.regain * self.burst.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When readings begin, in milliseconds, if every `every` milliseconds something is hinted at and each reading looks at
    /// `hints` things.
    fn begins(every: u64, hints: usize, count: usize) -> Vec<u128> {
        let (pace, start, mut tempo) = (HintPace::default(), Instant::now(), Tempo::default());
        let mut begun = Vec::new();
        let mut heard = start;
        while begun.len() < count {
            let at = tempo.due(heard, pace.hold, &pace);
            tempo.departed(at, hints, &pace);
            begun.push((at - start).as_millis());
            while heard <= at {
                heard += Duration::from_millis(every);
            }
        }
        begun
    }

    #[test]
    fn changes_that_come_now_and_then_are_followed_at_once() {
        let begun = begins(1000, 1, 40);
        assert!(begun.iter().zip(0..).all(|(at, n)| *at == n * 1000 + 20), "{begun:?}");
    }

    #[test]
    fn changes_without_end_are_followed_three_times_a_second() {
        let begun = begins(10, 1, 100);
        assert!(begun[7] < 2500, "the first few at once: {begun:?}");
        assert!(begun[90..].windows(2).all(|pair| pair[1] - pair[0] >= 290), "{begun:?}");
    }

    #[test]
    fn a_storm_is_followed_every_five_seconds() {
        let begun = begins(1, 200, 10);
        assert!(begun[1..].windows(2).all(|pair| pair[1] - pair[0] >= 5000), "{begun:?}");
        assert!(begun[9] <= 50 + 9 * 5000 + 60, "and not more rarely: {begun:?}");
    }
}

//! What is due, and when: one entry for each key, however many events there were.
//!
//! Pure: the time is a parameter, and so is the randomness of the back-off. A key that is running is not given out a second
//! time; what came for it meanwhile makes it due again afterwards.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// What several events for one key ask for together.
pub trait Demand: Default {
    /// Adds what another event asks for.
    fn merge(&mut self, other: Self);
}

/// How long a key that fails is left alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// After the first failure; doubles with each further one.
    pub base: Duration,
    /// At most.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_mins(5),
        }
    }
}

impl Backoff {
    /// The pause after that many failures in a row (1 is the first), up to a quarter longer as `jitter` (0.0 to 1.0)
    /// goes. Never longer than the cap and a quarter.
    pub fn pause(self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let pause = self.base.saturating_mul(1 << doublings).min(self.cap);
        pause.mul_f64(0.25_f64.mul_add(jitter.clamp(0.0, 1.0), 1.0))
    }
}

/// The queue of one engine.
#[derive(Debug)]
pub struct Queue<K, D> {
    entries: BTreeMap<K, Entry<D>>,
    backoff: Backoff,
}

#[derive(Debug)]
struct Entry<D> {
    /// When it is due; `None` if nothing is asked for.
    due: Option<Instant>,
    demand: D,
    running: bool,
    failures: u32,
    /// Its failures no longer count once the pass that runs now is over.
    forgiven: bool,
}

impl<D: Default> Default for Entry<D> {
    fn default() -> Self {
        Self {
            due: None,
            demand: D::default(),
            running: false,
            failures: 0,
            forgiven: false,
        }
    }
}

impl<K: Ord + Clone, D: Demand> Queue<K, D> {
    /// An empty one.
    pub const fn new(backoff: Backoff) -> Self {
        Self {
            entries: BTreeMap::new(),
            backoff,
        }
    }

    /// Makes a key due at `at`, or earlier if it is due earlier already. The demands are merged.
    pub fn add(&mut self, key: K, at: Instant, demand: D) {
        let entry = self.entries.entry(key).or_default();
        entry.due = Some(entry.due.map_or(at, |due| due.min(at)));
        entry.demand.merge(demand);
    }

    /// Like [`add`](Self::add), for something new: a changed spec, changed settings. Earlier failures are forgotten.
    pub fn add_afresh(&mut self, key: &K, at: Instant, demand: D) {
        self.add(key.clone(), at, demand);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.failures = 0;
            entry.forgiven = entry.running;
        }
    }

    /// Gives out the key that has been due for longest, with everything that was asked for it.
    pub fn pop(&mut self, now: Instant) -> Option<(K, D)> {
        let waiting = self.entries.iter().filter(|(_, entry)| !entry.running);
        let due = waiting.filter_map(|(key, entry)| Some((entry.due.filter(|due| *due <= now)?, key)));
        let key = due.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, key)| key.clone())?;
        let entry = self.entries.get_mut(&key)?;
        entry.due = None;
        entry.running = true;
        entry.forgiven = false;
        Some((key, std::mem::take(&mut entry.demand)))
    }

    /// When the next key that is not running is due.
    pub fn next_due(&self) -> Option<Instant> {
        let waiting = self.entries.values().filter(|entry| !entry.running);
        waiting.filter_map(|entry| entry.due).min()
    }

    /// A running key has succeeded and is due again at `next`, or earlier if something came meanwhile.
    pub fn succeeded(&mut self, key: &K, next: Option<Instant>, demand: D) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.running = false;
            entry.failures = 0;
        }
        self.again(key, next, demand);
    }

    /// A running key has failed; it is due again after its back-off, or earlier if something new came meanwhile.
    /// `jitter` is a random number from 0.0 to 1.0. Returns the pause.
    pub fn failed(&mut self, key: &K, now: Instant, jitter: f64, demand: D) -> Duration {
        let Some(entry) = self.entries.get_mut(key) else {
            return Duration::ZERO;
        };
        entry.running = false;
        entry.failures = if entry.forgiven {
            1
        } else {
            entry.failures.saturating_add(1)
        };
        let pause = self.backoff.pause(entry.failures, jitter);
        self.again(key, Some(now + pause), demand);
        pause
    }

    fn again(&mut self, key: &K, next: Option<Instant>, demand: D) {
        match next {
            Some(next) => self.add(key.clone(), next, demand),
            None if self.entries.get(key).is_some_and(|entry| entry.due.is_none()) => {
                self.entries.remove(key);
            }
            None => {}
        }
    }

    /// Takes a key out that nobody needs any more. A running one goes when it has finished, unless it is added again.
    pub fn forget(&mut self, key: &K) {
        match self.entries.get_mut(key) {
            Some(entry) if entry.running => {
                entry.due = None;
                entry.demand = D::default();
            }
            Some(_) => drop(self.entries.remove(key)),
            None => {}
        }
    }

    /// How many keys are due now and not running.
    pub fn depth(&self, now: Instant) -> usize {
        let waiting = self.entries.values().filter(|entry| !entry.running);
        waiting.filter(|entry| entry.due.is_some_and(|due| due <= now)).count()
    }
}

#[cfg(test)]
mod tests;

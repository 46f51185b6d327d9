//! What is due, and when: one entry for each key, however many events there were.
//!
//! A key is due because of events (now), because it failed (after its back-off), or because its time has come (the next
//! regular pass). The three are kept apart: an event does not bring forward what is only asked for later. A key that is
//! running is not given out a second time; what came for it meanwhile makes it due again afterwards.
//!
//! Pure: the time is a parameter, and so is the randomness of the back-off.

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

/// A moment, and what is asked for then.
type Due<D> = Option<(Instant, D)>;

#[derive(Debug)]
struct Entry<D> {
    /// Events.
    events: Due<D>,
    /// After the last failure.
    retry: Due<D>,
    /// The next regular pass.
    next: Due<D>,
    running: bool,
    failures: u32,
    /// Its failures no longer count once the pass that runs now is over.
    forgiven: bool,
}

impl<D> Default for Entry<D> {
    fn default() -> Self {
        Self {
            events: None,
            retry: None,
            next: None,
            running: false,
            failures: 0,
            forgiven: false,
        }
    }
}

impl<D: Demand> Entry<D> {
    /// When it is due, if it is not running.
    fn due(&self) -> Option<Instant> {
        let all = [&self.events, &self.retry, &self.next].into_iter().flatten();
        all.map(|(at, _)| *at).min().filter(|_| !self.running)
    }

    /// Everything that is asked for by now.
    fn take(&mut self, now: Instant) -> D {
        let mut demand = D::default();
        for due in [&mut self.events, &mut self.retry, &mut self.next] {
            if let Some((_, asked)) = due.take_if(|(at, _)| *at <= now) {
                demand.merge(asked);
            }
        }
        demand
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

    /// An event: the key is due at that moment, together with the events that are waiting already.
    pub fn add(&mut self, key: K, at: Instant, demand: D) {
        let entry = self.entries.entry(key).or_default();
        match &mut entry.events {
            Some((earliest, asked)) => {
                *earliest = at.min(*earliest);
                asked.merge(demand);
            }
            none => *none = Some((at, demand)),
        }
    }

    /// Like [`add`](Self::add), for something new that asks for everything: a changed spec, changed settings. Earlier
    /// failures are forgotten.
    pub fn add_afresh(&mut self, key: &K, now: Instant, demand: D) {
        self.add(key.clone(), now, demand);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.retry = None;
            entry.failures = 0;
            entry.forgiven = entry.running;
        }
    }

    /// Gives out the key that has been due for longest, with everything that is asked for by now.
    pub fn pop(&mut self, now: Instant) -> Option<(K, D)> {
        let due = self.entries.iter().filter_map(|(key, entry)| Some((entry.due()?, key)));
        let (_, key) = due.filter(|(at, _)| *at <= now).min()?;
        let key = key.clone();
        let entry = self.entries.get_mut(&key)?;
        entry.running = true;
        entry.forgiven = false;
        Some((key, entry.take(now)))
    }

    /// When the next key that is not running is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.entries.values().filter_map(Entry::due).min()
    }

    /// A running key has succeeded. Its next regular pass is at `next`, whatever was said of it before.
    pub fn succeeded(&mut self, key: &K, next: Due<D>) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.running = false;
        entry.next = next;
        // What failed before was not asked for this time; it is still to be tried again.
        if entry.retry.is_none() {
            entry.failures = 0;
        }
        if entry.due().is_none() {
            self.entries.remove(key);
        }
    }

    /// A running key has failed; what it `demand`s is due again after its back-off. `jitter` is a random number from 0.0
    /// to 1.0. Returns the pause.
    pub fn failed(&mut self, key: &K, now: Instant, jitter: f64, demand: D, next: Due<D>) -> Duration {
        let Some(entry) = self.entries.get_mut(key) else {
            return Duration::ZERO;
        };
        entry.running = false;
        entry.next = next;
        entry.failures = if entry.forgiven {
            1
        } else {
            entry.failures.saturating_add(1)
        };
        let pause = self.backoff.pause(entry.failures, jitter);
        entry.retry = Some((now + pause, demand));
        pause
    }

    /// Takes a key out that nobody needs any more. A running one goes when it has finished, unless it is added again.
    pub fn forget(&mut self, key: &K) {
        match self.entries.get_mut(key) {
            Some(entry) if entry.running => (entry.events, entry.retry, entry.next) = (None, None, None),
            Some(_) => drop(self.entries.remove(key)),
            None => {}
        }
    }

    /// How many keys are due now and not running.
    pub fn depth(&self, now: Instant) -> usize {
        let due = self.entries.values().filter_map(Entry::due);
        due.filter(|at| *at <= now).count()
    }
}

#[cfg(test)]
mod tests;

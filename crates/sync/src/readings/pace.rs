//! How often a place is read, at most.

use std::{num::NonZeroU32, num::NonZeroUsize, time::Duration};

use super::HintPace;

/// Bounds of the readings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadingsPace {
    /// The pause after a place's first failure; it doubles with each further one in a row. A random part of up to half
    /// of it is added.
    pub first_pause: Duration,
    /// The longest pause, before the random part is added.
    pub longest_pause: Duration,
    /// Readings under way at once for one provider. There is no common bound for all providers: with one, some that hang
    /// would keep the others waiting.
    pub at_once: NonZeroUsize,
    /// For so long an account that Contrabass named is used for further places of its provider. A failure ends it.
    pub account_life: Duration,
    /// A reading of this age answers nobody any more, and its inventory is dropped: it is by far the largest thing that
    /// is kept, and of no use until the next one replaces it.
    pub life: Duration,
    /// How often hints cause readings.
    pub hints: HintPace,
}

impl ReadingsPace {
    /// For readings that are asked for every `interval`: the longest pause is not longer than that, and what is
    /// [`recent`](Self::recent) is kept.
    pub fn every(interval: Duration) -> Self {
        let default = Self::default();
        Self {
            longest_pause: default.longest_pause.min(interval),
            life: Self::recent(interval),
            ..default
        }
    }

    /// How old a reading may be that serves as the periodic one of another cluster: a fifth of the interval.
    pub fn recent(interval: Duration) -> Duration {
        interval / 5
    }

    /// The pause after so many failures in a row. `jitter` lies between 0 and 1.
    pub(super) fn pause(&self, failures: NonZeroU32, jitter: f64) -> Duration {
        let doubled = 2_u32.checked_pow(failures.get() - 1);
        let pause = doubled.and_then(|factor| self.first_pause.checked_mul(factor));
        let pause = pause.map_or(self.longest_pause, |pause| pause.min(self.longest_pause));
        pause + pause.mul_f64(jitter.clamp(0.0, 1.0) / 2.0)
    }
}

impl Default for ReadingsPace {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(5),
            at_once: NonZeroUsize::MIN.saturating_add(15),
            account_life: Duration::from_secs(30),
            life: Self::recent(Duration::from_mins(5)),
            hints: HintPace::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(pace: ReadingsPace, jitter: f64) -> Vec<u64> {
        let failures = [1, 2, 3, 9, 10, 40, u32::MAX];
        let pause = |failures| pace.pause(NonZeroU32::new(failures).unwrap(), jitter).as_secs();
        failures.map(pause).to_vec()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_a_random_half_is_added() {
        let pace = ReadingsPace::default();
        assert_eq!(pauses(pace, 0.0), [1, 2, 4, 256, 300, 300, 300]);
        assert_eq!(pauses(pace, 1.0), [1, 3, 6, 384, 450, 450, 450]);
    }

    #[test]
    fn no_pause_is_longer_than_the_interval() {
        let pace = ReadingsPace::every(Duration::from_secs(10));
        assert_eq!(pauses(pace, 0.0), [1, 2, 4, 10, 10, 10, 10]);
        let day = ReadingsPace::every(Duration::from_hours(24));
        assert_eq!(day.longest_pause, Duration::from_mins(5));
    }
}

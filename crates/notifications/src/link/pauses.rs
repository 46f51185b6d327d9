//! How long to wait before the next attempt; pure.

use std::time::Duration;

use crate::{LinkError, LinkPace};

/// Counts failures of the one kind and of the other.
#[derive(Debug)]
pub(super) struct Pauses {
    pace: LinkPace,
    failures: u32,
    refusals: u32,
}

impl Pauses {
    pub const fn new(pace: LinkPace) -> Self {
        Self {
            pace,
            failures: 0,
            refusals: 0,
        }
    }

    /// A link has held this long. Whoever listened was logged in.
    pub fn held(&mut self, long: Duration) {
        self.refusals = 0;
        if long >= self.pace.stable {
            self.failures = 0;
        }
    }

    /// The pause after this error. `random` is from 0 to 1.
    pub fn after(&mut self, error: &LinkError, random: f64) -> Duration {
        let pace = &self.pace;
        let (count, first, longest) = if matches!(error, LinkError::LoginRefused { .. }) {
            (&mut self.refusals, pace.first_login_pause, pace.longest_login_pause)
        } else {
            (&mut self.failures, pace.first_pause, pace.longest_pause)
        };
        let pause = first.saturating_mul(2_u32.saturating_pow(*count)).min(longest);
        *count = count.saturating_add(1);
        pause + pause.mul_f64(random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> LinkError {
        LinkError::LoginRefused {
            broker: "a".parse().unwrap(),
            user: "multinic".to_owned(),
        }
    }

    fn unreachable() -> LinkError {
        LinkError::Unreachable {
            broker: "a".parse().unwrap(),
            reason: "no".to_owned(),
        }
    }

    fn seconds(pauses: &mut Pauses, error: &LinkError, times: usize) -> Vec<u64> {
        (0..times).map(|_| pauses.after(error, 0.0).as_secs()).collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_never_overflow() {
        let mut pauses = Pauses::new(LinkPace::default());
        assert_eq!(seconds(&mut pauses, &unreachable(), 8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(
            seconds(&mut pauses, &unreachable(), 100)
                .iter()
                .all(|pause| *pause == 60)
        );
    }

    #[test]
    fn a_refused_login_has_its_own_long_pauses_that_other_failures_do_not_shorten() {
        let mut pauses = Pauses::new(LinkPace::default());
        assert_eq!(seconds(&mut pauses, &refused(), 2), [60, 120]);
        assert_eq!(seconds(&mut pauses, &unreachable(), 1), [1]);
        pauses.held(Duration::ZERO);
        assert_eq!(
            seconds(&mut pauses, &refused(), 7),
            [60, 120, 240, 480, 960, 1800, 1800]
        );
    }

    #[test]
    fn only_a_link_that_held_starts_with_the_first_pause_again() {
        let pace = LinkPace::default();
        let mut pauses = Pauses::new(pace);
        seconds(&mut pauses, &unreachable(), 3);
        pauses.held(pace.stable.mul_f64(0.99));
        assert_eq!(seconds(&mut pauses, &unreachable(), 1), [8]);
        pauses.held(pace.stable);
        assert_eq!(seconds(&mut pauses, &unreachable(), 1), [1]);
    }

    #[test]
    fn the_random_part_is_half_of_the_pause_at_most() {
        let pause = |random| Pauses::new(LinkPace::default()).after(&unreachable(), random);
        assert_eq!(pause(1.0), Duration::from_millis(1500));
        assert_eq!(pause(0.5), Duration::from_millis(1250));
        assert_eq!(pause(f64::MAX), Duration::from_millis(1500));
    }
}

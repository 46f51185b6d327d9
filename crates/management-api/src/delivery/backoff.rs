//! How long what failed has to wait: twice as long each time, up to a bound, and never all at once.

use std::time::Duration;

use jiff::SignedDuration;

/// First and longest wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_mins(5),
        }
    }
}

impl Backoff {
    /// After this many failures before; `asked` is what the other side wants at least, and is bounded as well.
    pub(super) fn after(&self, failures: u64, asked: Option<Duration>) -> SignedDuration {
        let doubled = 1_u32
            .checked_shl(failures.min(31).try_into().unwrap_or(31))
            .unwrap_or(u32::MAX);
        let most = self.first.saturating_mul(doubled).min(self.most);
        let jittered = most.mul_f64(0.5 + rand::random::<f64>() / 2.0);
        let wait = jittered.max(asked.unwrap_or_default()).min(self.most);
        SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_lie_within_half_of_it() {
        let backoff = Backoff::default();
        for (failures, most) in [(0, 1.0), (1, 2.0), (5, 32.0), (9, 300.0), (1_000_000, 300.0)] {
            let wait = backoff.after(failures, None).as_secs_f64();
            assert!(wait >= most / 2.0 && wait <= most, "{failures}: {wait}");
        }
    }

    #[test]
    fn what_the_other_side_asks_for_counts_within_the_bound() {
        let backoff = Backoff::default();
        assert_eq!(
            backoff.after(0, Some(Duration::from_secs(30))),
            SignedDuration::from_secs(30)
        );
        assert_eq!(
            backoff.after(0, Some(Duration::from_hours(30))),
            SignedDuration::from_mins(5)
        );
    }
}

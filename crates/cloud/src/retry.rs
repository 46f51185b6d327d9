//! What is tried again, when and for how long: a pure policy without clock or chance of its own.

use std::time::Duration;

/// How failures are repeated.
///
/// A limiter's window is usually one minute, so the budget must outlive that: a few quick tries inside the window only
/// keep it closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// From the first try to the start of the last one.
    pub budget: Duration,
    /// The wait after the first failure; doubled after each further one.
    pub first_delay: Duration,
    /// No wait is longer, unless the server asks for it.
    pub max_delay: Duration,
    /// Tries in all when nothing answers: a server that is gone is better reported than waited for.
    pub max_silent_tries: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            budget: Duration::from_secs(90),
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(15),
            max_silent_tries: 4,
        }
    }
}

/// Why a request is to be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// The connection broke, or the answer was cut short. uWSGI closes pooled connections, so the first one is repeated
    /// at once.
    Broken,
    /// Nobody could be reached in time.
    Silent,
    /// 429 or 5xx, with the wait the server asks for.
    Busy(Option<Duration>),
}

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Retry {
    policy: RetryPolicy,
    failures: u32,
    silent: u32,
}

impl Retry {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            failures: 0,
            silent: 0,
        }
    }

    /// How long to wait before the next try; `None` when it is time to give up. `elapsed` counts from the first try;
    /// `chance` is a number in 0..=1 that spreads the waits of many clients.
    pub(crate) fn next(&mut self, cause: Cause, elapsed: Duration, chance: f64) -> Option<Duration> {
        self.failures += 1;
        let at_once = cause == Cause::Broken && self.failures == 1;
        let delay = match cause {
            Cause::Broken | Cause::Silent => {
                self.silent += 1;
                if self.silent >= self.policy.max_silent_tries {
                    return None;
                }
                if at_once { Duration::ZERO } else { self.backoff(chance) }
            }
            // Earlier than asked would only be refused again.
            Cause::Busy(Some(asked)) => asked.max(self.policy.first_delay.mul_f64(chance.clamp(0.0, 1.0))),
            Cause::Busy(None) => self.backoff(chance),
        };
        (elapsed.saturating_add(delay) <= self.policy.budget).then_some(delay)
    }

    fn backoff(&self, chance: f64) -> Duration {
        let doublings = (self.failures - 1).min(16);
        let full = self
            .policy
            .first_delay
            .saturating_mul(1 << doublings)
            .min(self.policy.max_delay);
        full.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// All the waits of a request that always fails for `cause` after no time at all.
    fn waits(cause: Cause) -> Vec<Duration> {
        let mut retry = Retry::new(RetryPolicy::default());
        let mut elapsed = Duration::ZERO;
        let mut waits = Vec::new();
        while let Some(wait) = retry.next(cause, elapsed, 1.0) {
            elapsed += wait;
            waits.push(wait);
        }
        waits
    }

    #[test]
    fn without_retry_after_the_waits_double_and_outlive_a_limiters_minute() {
        let waits = waits(Cause::Busy(None));
        assert_eq!(
            waits[..6].iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [500, 1000, 2000, 4000, 8000, 15_000]
        );
        let total: Duration = waits.iter().sum();
        assert!(total >= 60 * SECOND && total <= 90 * SECOND, "{total:?}");
    }

    #[test]
    fn retry_after_is_waited_for_exactly_and_within_the_budget() {
        assert_eq!(waits(Cause::Busy(Some(30 * SECOND))), [30 * SECOND; 3]);
    }

    #[test]
    fn a_retry_after_beyond_the_budget_gives_up_at_once() {
        assert!(waits(Cause::Busy(Some(3600 * SECOND))).is_empty());
    }

    #[test]
    fn a_retry_after_of_zero_does_not_make_a_busy_loop() {
        let mut retry = Retry::new(RetryPolicy::default());
        assert_eq!(
            retry.next(Cause::Busy(Some(Duration::ZERO)), Duration::ZERO, 1.0),
            Some(SECOND / 2)
        );
    }

    #[test]
    fn a_broken_connection_is_repeated_at_once_then_with_waits_then_given_up() {
        assert_eq!(waits(Cause::Broken), [Duration::ZERO, SECOND, 2 * SECOND]);
    }

    #[test]
    fn a_silent_server_is_given_up_soon() {
        assert_eq!(waits(Cause::Silent).len(), 3);
        let mut retry = Retry::new(RetryPolicy::default());
        assert_eq!(
            retry.next(Cause::Silent, 90 * SECOND, 0.0),
            None,
            "time-outs count towards the budget"
        );
    }

    #[test]
    fn chance_spreads_the_waits_over_half_of_their_length() {
        for (chance, millis) in [(0.0, 250), (0.5, 375), (1.0, 500)] {
            let mut retry = Retry::new(RetryPolicy::default());
            let wait = retry.next(Cause::Busy(None), Duration::ZERO, chance);
            assert_eq!(wait, Some(Duration::from_millis(millis)), "{chance}");
        }
    }
}

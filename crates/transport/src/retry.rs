//! Retries: exponential backoff with jitter, `Retry-After` honoured, everything bounded.

use std::{fmt, future::Future, num::NonZeroU32, pin::Pin, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};

/// How often a request is tried and how long the pauses between the attempts are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: NonZeroU32,
    /// The pause after the first failure; it doubles with each further one. A random part of up to the same length is
    /// added, so that many clients do not come back at once.
    pub base: Duration,
    /// The longest pause before the random part is added.
    pub cap: Duration,
    /// The longest `Retry-After` that is honoured; a longer one is cut to this.
    pub retry_after_cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(3),
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            retry_after_cap: Duration::from_mins(1),
        }
    }
}

/// One pause under way.
pub type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How the pauses between attempts are spent: sleeping, unless a test records them instead.
#[derive(Clone)]
pub struct Pauses(Arc<dyn Fn(Duration) -> Pause + Send + Sync>);

impl Pauses {
    /// Calls `pause` with the length of each pause and waits for what it returns.
    pub fn new<F>(pause: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |length| Box::pin(pause(length))))
    }

    /// Spends one pause.
    pub fn spend(&self, length: Duration) -> Pause {
        (self.0)(length)
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self::new(tokio::time::sleep)
    }
}

impl fmt::Debug for Pauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pauses")
    }
}

/// What a failed attempt says about the next one.
pub(crate) trait Transient: fmt::Display {
    /// Whether the same request may succeed later.
    fn is_transient(&self) -> bool;
    /// How long the server asks to wait.
    fn retry_after(&self) -> Option<Duration>;
}

impl RetryPolicy {
    /// Repeats `attempt` until it succeeds, fails for good, or the attempts are used up; the last error is returned.
    pub(crate) async fn run<T, E, F>(&self, pauses: &Pauses, attempt: impl FnMut() -> F) -> Result<T, E>
    where
        E: Transient,
        F: Future<Output = Result<T, E>>,
    {
        let pauses = pauses.clone();
        attempt
            .retry(self.backoff())
            .sleep(move |length| pauses.spend(length))
            .when(E::is_transient)
            .adjust(|error, pause| pause.map(|pause| self.lengthen(pause, error.retry_after())))
            .notify(|error, pause| tracing::debug!(?pause, "{error}; trying again"))
            .await
    }

    fn backoff(&self) -> ExponentialBuilder {
        let retries = usize::try_from(self.attempts.get() - 1).unwrap_or(usize::MAX);
        ExponentialBuilder::default()
            .with_min_delay(self.base.min(self.cap))
            .with_max_delay(self.cap)
            .with_max_times(retries)
            .with_jitter()
    }

    /// A server never shortens a pause: `Retry-After: 0` from a server in trouble would make a busy loop.
    fn lengthen(&self, pause: Duration, retry_after: Option<Duration>) -> Duration {
        retry_after.map_or(pause, |asked| pause.max(asked.min(self.retry_after_cap)))
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, sync::Mutex};

    use tokio::time::Instant;

    use super::*;

    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("failed")]
    struct Failed {
        transient: bool,
        retry_after: Option<u64>,
    }

    impl Transient for Failed {
        fn is_transient(&self) -> bool {
            self.transient
        }

        fn retry_after(&self) -> Option<Duration> {
            self.retry_after.map(Duration::from_secs)
        }
    }

    /// Runs against a server that fails for ever; gives the pauses in milliseconds.
    async fn pauses(policy: RetryPolicy, transient: bool, retry_after: Option<u64>) -> Vec<u128> {
        let spent = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&spent);
        let pauses = Pauses::new(move |length| {
            record.lock().unwrap().push(length.as_millis());
            std::future::ready(())
        });
        let attempt = || async { Err::<(), _>(Failed { transient, retry_after }) };
        let result = policy.run(&pauses, attempt).await;
        assert_eq!(result, Err(Failed { transient, retry_after }));
        drop(pauses);
        let spent = spent.lock().unwrap();
        spent.clone()
    }

    fn policy(attempts: u32) -> RetryPolicy {
        RetryPolicy {
            attempts: NonZeroU32::new(attempts).unwrap(),
            base: Duration::from_millis(100),
            cap: Duration::from_millis(400),
            retry_after_cap: Duration::from_mins(1),
        }
    }

    #[tokio::test]
    async fn pauses_double_up_to_the_cap_with_at_most_as_much_jitter() {
        let pauses = pauses(policy(6), true, None).await;
        let expected = [100, 200, 400, 400, 400];
        assert_eq!(pauses.len(), expected.len());
        for (pause, base) in pauses.into_iter().zip(expected) {
            assert!((base..=2 * base).contains(&pause), "{pause} for {base}");
        }
    }

    #[tokio::test]
    async fn one_attempt_makes_no_pause() {
        assert_eq!(pauses(policy(1), true, Some(5)).await, [0_u128; 0]);
    }

    #[tokio::test]
    async fn a_lasting_failure_is_not_repeated() {
        assert_eq!(pauses(policy(5), false, Some(5)).await, [0_u128; 0]);
    }

    #[tokio::test]
    async fn retry_after_lengthens_a_pause_up_to_its_cap_and_never_shortens_it() {
        assert_eq!(pauses(policy(3), true, Some(7)).await, [7_000, 7_000]);
        assert_eq!(pauses(policy(2), true, Some(86_400)).await, [60_000]);
        assert!(pauses(policy(2), true, Some(0)).await[0] >= 100);
    }

    #[tokio::test(start_paused = true)]
    async fn by_default_the_pauses_are_slept() {
        let start = Instant::now();
        let calls = Cell::new(0);
        let attempt = || async {
            calls.set(calls.get() + 1);
            if calls.get() == 3 {
                Ok(())
            } else {
                Err(Failed {
                    transient: true,
                    retry_after: Some(7),
                })
            }
        };
        policy(5).run(&Pauses::default(), attempt).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 14);
    }
}

//! How much is asked of each service: a budget before each request, a pause when a service asks for one, and counts.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};
use http::StatusCode;
use multinic_model::ProviderId;
use multinic_transport::Tally;
use tokio::time::Instant;

use crate::error::Service;

type Key = (ProviderId, Service);

/// Requests sent so far; only grows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestCounts {
    /// By service and class of answer: "2xx", "3xx", "4xx", "5xx", or "none" when no complete answer came.
    pub sent: BTreeMap<(Service, &'static str), u64>,
    /// How often a request had to wait for its turn.
    pub waits: u64,
    /// How long requests waited for their turn, in all.
    pub waited: Duration,
}

impl RequestCounts {
    /// All requests, logins and repetitions included.
    pub fn total(&self) -> u64 {
        self.sent.values().sum()
    }
}

/// Shared by everything that sends.
#[derive(Debug)]
pub(crate) struct Budget {
    limiter: DefaultKeyedRateLimiter<Key>,
    clock: DefaultClock,
    pauses: Mutex<HashMap<Key, Instant>>,
    answers: [(Service, Tally); 3],
    waits: AtomicU64,
    waited_ns: AtomicU64,
}

impl Budget {
    pub(crate) fn new(requests_per_second: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(requests_per_second)),
            clock: DefaultClock::default(),
            pauses: Mutex::default(),
            answers: [Service::Identity, Service::Compute, Service::Network].map(|service| (service, Tally::default())),
            waits: AtomicU64::new(0),
            waited_ns: AtomicU64::new(0),
        }
    }

    /// Waits for this provider's and service's turn.
    pub(crate) async fn turn(&self, provider: &ProviderId, service: Service) {
        let key = (provider.clone(), service);
        let mut waits = false;
        loop {
            let wait = match self.pause(&key) {
                Some(wait) => wait,
                None => match self.limiter.check_key(&key) {
                    Ok(()) => return,
                    Err(later) => later.wait_time_from(self.clock.now()),
                },
            };
            self.note_wait(wait, !waits);
            waits = true;
            tokio::time::sleep(wait).await;
        }
    }

    /// A request that waits several times in a row is one that waits.
    fn note_wait(&self, wait: Duration, first: bool) {
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        self.waits.fetch_add(first.into(), Ordering::Relaxed);
    }

    fn pause(&self, key: &Key) -> Option<Duration> {
        let mut pauses = lock(&self.pauses);
        let wait = pauses
            .get(key)?
            .checked_duration_since(Instant::now())
            .filter(|wait| !wait.is_zero());
        if wait.is_none() {
            pauses.remove(key);
        }
        wait
    }

    /// Nobody asks this service before `wait` has passed: its limiter counts all of us together.
    pub(crate) fn hold(&self, provider: &ProviderId, service: Service, wait: Duration) {
        let until = Instant::now() + wait;
        let mut pauses = lock(&self.pauses);
        let entry = pauses.entry((provider.clone(), service)).or_insert(until);
        *entry = until.max(*entry);
    }

    pub(crate) fn count(&self, service: Service, status: Option<StatusCode>) {
        for (_, tally) in self.answers.iter().filter(|(of, _)| *of == service) {
            tally.count(status);
        }
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        let answers = self.answers.iter();
        let sent = answers.flat_map(|(service, tally)| {
            let counts = tally.counts().into_iter();
            counts.map(|(class, count)| ((*service, class), count))
        });
        RequestCounts {
            sent: sent.collect(),
            waits: self.waits.load(Ordering::Relaxed),
            waited: Duration::from_nanos(self.waited_ns.load(Ordering::Relaxed)),
        }
    }
}

/// A panic elsewhere leaves the numbers as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_service_that_asks_for_a_pause_gets_it_from_everybody() {
        let budget = Budget::new(NonZeroU32::new(1000).unwrap());
        let provider: ProviderId = "p".parse().unwrap();
        budget.hold(&provider, Service::Network, Duration::from_secs(7));
        budget.hold(&provider, Service::Network, Duration::from_secs(3));
        let start = Instant::now();
        budget.turn(&provider, Service::Compute).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "another service is not held");
        budget.turn(&provider, Service::Network).await;
        assert!(start.elapsed() >= Duration::from_secs(7), "{:?}", start.elapsed());
        let counts = budget.counts();
        assert!(counts.waited >= Duration::from_secs(6));
        assert_eq!(counts.waits, 1);
    }

    #[test]
    fn counts_are_kept_by_service_and_class() {
        let budget = Budget::new(NonZeroU32::MIN);
        for status in [
            Some(StatusCode::OK),
            Some(StatusCode::NO_CONTENT),
            Some(StatusCode::CONFLICT),
            None,
        ] {
            budget.count(Service::Network, status);
        }
        let counts = budget.counts();
        assert_eq!(counts.sent[&(Service::Network, "2xx")], 2);
        assert_eq!(counts.sent[&(Service::Network, "4xx")], 1);
        assert_eq!(counts.sent[&(Service::Network, "none")], 1);
        assert_eq!(counts.total(), 4);
    }
}

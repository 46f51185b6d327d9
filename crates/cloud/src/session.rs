//! The pool of sessions: one per (provider, project), logged in once for everybody who waits, renewed before it expires.

use std::{
    collections::BTreeMap,
    ops::Not,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use jiff::Timestamp;
use multinic_model::{ProjectId, ProviderId};
use tokio::time::Instant;

use crate::{
    CloudCredentials, CloudSettings,
    budget::Budget,
    clock::Clock,
    credentials::Fingerprint,
    error::{CloudError, Service},
    gate::Gate,
    login::{Login, login, place},
    retry::{Retry, RetryPolicy},
};

/// How long an early renewal that failed is not tried again; the old token still works.
const RENEWAL_PAUSE: Duration = Duration::from_mins(1);

/// All sessions and what they share.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) settings: CloudSettings,
    pub(crate) budget: Budget,
    clock: Arc<dyn Clock>,
    slots: Mutex<BTreeMap<(ProviderId, ProjectId), Arc<Slot>>>,
    gates: Mutex<BTreeMap<ProviderId, Arc<tokio::sync::Mutex<Gate>>>>,
}

/// The place of one session. Its lock is held during a login, so that all others wait for that one.
#[derive(Default)]
struct Slot {
    /// Logins that ended. Who finds it changed after waiting for the lock shares the result.
    ended: AtomicU64,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    fingerprint: Option<Fingerprint>,
    live: Option<Arc<Live>>,
    renew_at: Timestamp,
    failure: Option<CloudError>,
}

/// A session in use. A new login makes a new one; requests under way keep theirs.
pub(crate) struct Live {
    pub(crate) login: Login,
    /// Tells a refused token from its successor.
    pub(crate) generation: u64,
    expires_at: Timestamp,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(settings: CloudSettings, clock: Arc<dyn Clock>) -> Self {
        let budget = Budget::new(settings.requests_per_second);
        Self {
            settings,
            budget,
            clock,
            slots: Mutex::default(),
            gates: Mutex::default(),
        }
    }

    /// A session with a token that is valid for a good while. `refused` is the generation whose token a service has
    /// just refused.
    pub(crate) async fn get(
        &self,
        credentials: &CloudCredentials,
        refused: Option<u64>,
    ) -> Result<Arc<Live>, CloudError> {
        let slot = self.slot(credentials);
        let ended = slot.ended.load(Ordering::Acquire);
        let mut state = slot.state.lock().await;
        state.adopt(credentials.fingerprint());
        if let Some(live) = state.usable(refused, self.clock.now()) {
            return Ok(live);
        }
        if let Some(failure) = &state.failure
            && slot.ended.load(Ordering::Acquire) != ended
        {
            return Err(failure.clone());
        }
        let fallback = state.fallback(refused, self.clock.now());
        let result = self.log_in(credentials, fallback.is_some()).await;
        let generation = slot.ended.fetch_add(1, Ordering::AcqRel) + 1;
        state.settle(result, fallback, generation, self.clock.now())
    }

    /// Forgets the provider's sessions and rejections.
    pub(crate) fn forget(&self, provider: &ProviderId) {
        lock(&self.slots).retain(|(of, _), _| of != provider);
        lock(&self.gates).remove(provider);
    }

    async fn log_in(&self, credentials: &CloudCredentials, early: bool) -> Result<Login, CloudError> {
        let gate = Arc::clone(lock(&self.gates).entry(credentials.provider.clone()).or_default());
        let mut first = gate.lock().await;
        first.check(credentials, self.clock.now(), self.settings.rejection_backoff)?;
        // An unproven password is tried for one project at a time.
        let held = first.proven().not().then_some(first);
        let result = self.persist(credentials, early).await;
        let mut gate = match held {
            Some(held) => held,
            None => gate.lock().await,
        };
        gate.record(credentials, &result, self.clock.now());
        result
    }

    /// Tries until it succeeds, fails for good, or the policy gives up. An early renewal is tried once.
    async fn persist(&self, credentials: &CloudCredentials, early: bool) -> Result<Login, CloudError> {
        let policy = if early {
            RetryPolicy {
                budget: Duration::ZERO,
                max_silent_tries: 1,
                ..self.settings.retry
            }
        } else {
            self.settings.retry
        };
        let (start, mut retry) = (Instant::now(), Retry::new(policy));
        loop {
            let error = match self.once(credentials).await {
                Ok(login) => return Ok(login),
                Err(error) => error,
            };
            let Some(cause) = error.cause() else { return Err(error) };
            let Some(wait) = retry.next(cause, start.elapsed(), rand::random()) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, credentials: &CloudCredentials) -> Result<Login, CloudError> {
        self.budget.turn(&credentials.provider, Service::Identity).await;
        let start = Instant::now();
        let result = login(&self.settings, credentials, self.clock.now()).await;
        let status = login_status(&result);
        self.budget.count(Service::Identity, status);
        tracing::debug!(
            service = %Service::Identity,
            method = "POST",
            path = place(credentials).url,
            status = status.map(|status| status.as_u16()),
            elapsed_ms = start.elapsed().as_millis(),
            "request"
        );
        result
    }

    fn slot(&self, credentials: &CloudCredentials) -> Arc<Slot> {
        let key = (credentials.provider.clone(), credentials.project);
        Arc::clone(lock(&self.slots).entry(key).or_default())
    }
}

impl State {
    fn adopt(&mut self, fingerprint: Fingerprint) {
        if self.fingerprint != Some(fingerprint) {
            *self = Self {
                fingerprint: Some(fingerprint),
                ..Self::default()
            };
        }
    }

    fn usable(&self, refused: Option<u64>, now: Timestamp) -> Option<Arc<Live>> {
        self.live
            .clone()
            .filter(|live| refused != Some(live.generation) && now < self.renew_at)
    }

    /// What goes on being used if an early renewal fails: nothing refused it, and it has not expired.
    fn fallback(&self, refused: Option<u64>, now: Timestamp) -> Option<Arc<Live>> {
        self.live
            .clone()
            .filter(|live| refused != Some(live.generation) && now < live.expires_at)
    }

    fn settle(
        &mut self,
        result: Result<Login, CloudError>,
        fallback: Option<Arc<Live>>,
        generation: u64,
        now: Timestamp,
    ) -> Result<Arc<Live>, CloudError> {
        match (result, fallback) {
            (Ok(login), _) => {
                // At half of its life: a token must outlive the longest reading that starts with it.
                self.renew_at = now + login.lifetime / 2;
                let live = Arc::new(Live {
                    generation,
                    expires_at: now + login.lifetime,
                    login,
                });
                self.live = Some(Arc::clone(&live));
                self.failure = None;
                Ok(live)
            }
            (Err(error), Some(live)) if error.cause().is_some() => {
                tracing::debug!(
                    category = error.category(),
                    "early renewal failed, the old token is used on"
                );
                self.renew_at = now + RENEWAL_PAUSE;
                Ok(live)
            }
            (Err(error), _) => {
                self.live = None;
                self.failure = Some(error.clone());
                Err(error)
            }
        }
    }
}

fn login_status(result: &Result<Login, CloudError>) -> Option<StatusCode> {
    match result {
        Err(CloudError::Login { status, .. } | CloudError::Status { status, .. }) => Some(*status),
        Err(error) if error.cause().is_some() => None,
        _ => Some(StatusCode::CREATED),
    }
}

/// A panic elsewhere leaves the maps as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

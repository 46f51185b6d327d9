//! Tokens of Kubernetes: whose one is, the Kubernetes API is asked with a TokenReview. Answers are remembered briefly by
//! the token's digest; the token itself is kept nowhere.

mod cache;
mod kubernetes;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use k8s_openapi::api::authentication::v1::TokenReview;
use kube::Api;
use multinic_model::NodeName;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::metrics::{Metrics, ResultLabels};
use cache::Cache;
pub use kubernetes::ReviewError;

/// How tokens of Kubernetes are reviewed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewSettings {
    /// Where the Kubernetes API is; without it, the one that the server itself runs in.
    pub kubeconfig: Option<PathBuf>,
    /// Whom tokens have to be meant for; without it, for the Kubernetes API itself.
    pub audience: Option<String>,
    /// How long one review may take.
    pub patience: Duration,
    /// How long it is remembered whose a token is.
    pub known_for: Duration,
    /// How long it is remembered that a token is nobody's.
    pub unknown_for: Duration,
    /// How many tokens of either kind are remembered.
    pub remembered: usize,
    /// How many reviews are under way at once; further tokens have to come again.
    pub at_once: usize,
}

impl Default for ReviewSettings {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            audience: None,
            patience: Duration::from_secs(3),
            known_for: Duration::from_mins(1),
            unknown_for: Duration::from_secs(10),
            remembered: 4_096,
            at_once: 64,
        }
    }
}

/// Whose a token is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reviewed {
    pub user: String,
    pub groups: BTreeSet<String>,
    /// The node of the pod that the token was made for.
    pub node: Option<NodeName>,
}

/// Nobody could say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("failed to ask the Kubernetes API whose token this is")]
pub(super) struct Unavailable;

/// `None`: nobody's.
type Outcome = Result<Option<Arc<Reviewed>>, Unavailable>;

/// By SHA-256.
type TokenDigest = [u8; 32];

/// A review that is under way, for all who wait for it.
type Flight = Shared<BoxFuture<'static, Outcome>>;

/// Asks, and remembers.
#[derive(Clone)]
pub struct Reviewer(Arc<Inner>);

struct Inner {
    api: Api<TokenReview>,
    settings: ReviewSettings,
    cache: Mutex<Cache>,
    is_failing: AtomicBool,
}

/// A longer token is none of Kubernetes, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

impl Reviewer {
    /// Builds the client. The Kubernetes API need not answer yet.
    pub async fn new(settings: ReviewSettings) -> Result<Self, ReviewError> {
        let api = Api::all(kubernetes::client(settings.kubeconfig.as_deref()).await?);
        let cache = Mutex::new(Cache::new(settings.remembered));
        Ok(Self(Arc::new(Inner {
            api,
            settings,
            cache,
            is_failing: AtomicBool::new(false),
        })))
    }

    /// Whose token it is. Everybody who asks for the same token at the same time waits for the same review.
    pub(super) async fn review(&self, token: &SecretString, metrics: &Metrics) -> Outcome {
        if !looks_like_a_token_of_kubernetes(token.expose_secret()) {
            return Ok(None);
        }
        let digest: TokenDigest = Sha256::digest(token.expose_secret()).into();
        self.join(digest, token, metrics)?.await
    }

    fn join(&self, digest: TokenDigest, token: &SecretString, metrics: &Metrics) -> Result<Flight, Unavailable> {
        let mut cache = self.0.cache();
        if let Some(known) = cache.get(&digest, Instant::now()) {
            return Ok(std::future::ready(Ok(known)).boxed().shared());
        }
        if let Some(flight) = cache.flying.get(&digest) {
            return Ok(flight.clone());
        }
        if cache.flying.len() >= self.0.settings.at_once {
            count(metrics, "refused");
            return Err(Unavailable);
        }
        // A task of its own: who asked first may hang up, the others still wait.
        let asked = tokio::spawn(Arc::clone(&self.0).ask(digest, token.clone(), metrics.clone()));
        let flight = asked.map(|asked| asked.unwrap_or(Err(Unavailable))).boxed().shared();
        cache.flying.insert(digest, flight.clone());
        Ok(flight)
    }
}

impl Inner {
    async fn ask(self: Arc<Self>, digest: TokenDigest, token: SecretString, metrics: Metrics) -> Outcome {
        let asking = kubernetes::ask(&self.api, &token, self.settings.audience.as_deref());
        let answer = tokio::time::timeout(self.settings.patience, asking).await;
        let answer = answer.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
        let outcome = answer.map(|reviewed| reviewed.map(Arc::new));
        let (result, time) = match &outcome {
            Ok(Some(_)) => ("known", self.settings.known_for),
            Ok(None) => ("unknown", self.settings.unknown_for),
            Err(_) => ("failed", Duration::ZERO),
        };
        count(&metrics, result);
        self.report(outcome.as_ref().err());
        let mut cache = self.cache();
        cache.flying.remove(&digest);
        let outcome = outcome.map_err(|_| Unavailable)?;
        cache.put(digest, outcome.clone(), Instant::now(), time);
        Ok(outcome)
    }

    /// Once when it begins and once when it is over.
    fn report(&self, failure: Option<&String>) {
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !was_failing => tracing::warn!("tokens of Kubernetes cannot be reviewed: {reason}"),
            None if was_failing => tracing::info!("tokens of Kubernetes are reviewed again"),
            _ => {}
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Reviewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reviewer")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

fn count(metrics: &Metrics, result: &str) {
    let labels = ResultLabels {
        result: result.to_owned(),
    };
    metrics.token_reviews.get_or_create(&labels).inc();
}

/// Three parts of base64url, as all of them are; anything else need not be asked for.
fn looks_like_a_token_of_kubernetes(token: &str) -> bool {
    let is_part = |part: &str| {
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !part.is_empty() && part.bytes().all(is_ours)
    };
    token.len() <= MAX_TOKEN && token.split('.').count() == 3 && token.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::looks_like_a_token_of_kubernetes as looks;

    #[test]
    fn only_what_could_be_a_token_of_kubernetes_is_asked_for() {
        assert!(looks("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl_-"));
        for other in [
            "",
            "a-static-token",
            "a.b",
            "a..c",
            "a.b.c.d",
            "a.b.c=",
            "a.b.c d",
            "ä.b.c",
        ] {
            assert!(!looks(other), "{other}");
        }
        assert!(!looks(&format!("a.b.{}", "c".repeat(8 * 1024))));
    }
}

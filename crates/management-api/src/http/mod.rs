//! HTTP: the routes, and what every one of them shares.
//!
//! Read in this order: [`auth`] (who may), [`node_configs`] and [`providers`] (the endpoints), [`parse`] (the body of a
//! POST), [`problem`] (errors), [`json`] (answers).

pub mod auth;
mod body;
mod cursor;
mod docs;
pub mod json;
pub mod node_configs;
mod openapi;
mod parse;
mod probes;
mod problem;
pub mod providers;
pub mod report;
mod router;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{feed::Feed, metrics::Metrics, store::Store};
use auth::{Reviewer, Tokens};

pub use openapi::openapi;
pub use problem::{Fault, Problem};
pub use router::router;

/// What a request may cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest body of a POST, in bytes.
    pub body: usize,
    /// The most nodes in one POST.
    pub nodes: usize,
    /// How long a body may take to arrive, or to be let in.
    pub body_time: Duration,
    /// How long a request may take in all; watches are not limited.
    pub request_time: Duration,
    /// How many bodies are held at once.
    pub bodies: usize,
    /// How many watches are open at once.
    pub watchers: usize,
    /// How often it is looked at whether who watches still may; changed tokens are noticed at once.
    pub recheck: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 * 1024 * 1024,
            nodes: 5_000,
            body_time: Duration::from_secs(20),
            request_time: Duration::from_mins(1),
            bodies: 4,
            watchers: 4_096,
            recheck: Duration::from_mins(1),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// The inside of [`App`].
pub struct Shared {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    /// Told of every change here, for those who deliver.
    pub(crate) undelivered: Arc<Notify>,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(crate) bodies: Semaphore,
    pub(crate) watchers: Arc<Semaphore>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) reviewer: Option<Reviewer>,
    tokens: watch::Sender<Arc<Tokens>>,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        store: Store,
        tokens: Tokens,
        reviewer: Option<Reviewer>,
        limits: Limits,
        shutdown: CancellationToken,
    ) -> Self {
        let shared = Shared {
            feed: Feed::new(store.clone(), node_configs::watch::tell),
            undelivered: Arc::default(),
            store,
            metrics: Metrics::new(),
            bodies: Semaphore::new(limits.bodies),
            watchers: Arc::new(Semaphore::new(limits.watchers)),
            limits,
            shutdown,
            reviewer,
            tokens: watch::Sender::new(Arc::new(tokens)),
        };
        Self(Arc::new(shared))
    }

    /// Something changed: watchers are told, and it is delivered.
    pub(crate) fn changed(&self) {
        self.feed.changed();
        self.undelivered.notify_one();
    }

    /// The tokens in force.
    pub fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens.borrow())
    }

    /// Puts other tokens in force; requests that are under way keep theirs, watches do not.
    pub fn set_tokens(&self, tokens: Tokens) {
        self.tokens.send_replace(Arc::new(tokens));
    }

    /// Tells when other tokens are put in force.
    pub(crate) fn watch_tokens(&self) -> watch::Receiver<Arc<Tokens>> {
        self.tokens.subscribe()
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

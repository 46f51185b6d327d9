//! One process put together: store, tokens, listener and what goes on beside the requests.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    delivery::{Deliveries, DeliveryOptions},
    http::{
        App, Limits,
        auth::{Tokens, TokensError},
        router,
    },
    listener,
    store::{DatabaseSettings, Registration, Store, StoreError},
};

pub use crate::listener::ConnectionLimits;

/// How the server runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub database: DatabaseSettings,
    /// Whether unknown clusters register themselves.
    pub registration: Registration,
    /// The file of tokens; without one nothing but loopback is listened on.
    pub tokens: Option<PathBuf>,
    /// How long history is kept.
    pub history: SignedDuration,
    /// How node configs get into the clusters.
    pub delivery: DeliveryOptions,
    /// What requests may cost.
    pub limits: Limits,
    /// What connections may cost.
    pub connections: ConnectionLimits,
}

impl Options {
    /// Everything but the two addresses as it is by default: history is kept for 90 days.
    pub fn new(listen: SocketAddr, database: DatabaseSettings) -> Self {
        Self {
            listen,
            database,
            registration: Registration::default(),
            tokens: None,
            history: SignedDuration::from_hours(90 * 24),
            delivery: DeliveryOptions::default(),
            limits: Limits::default(),
            connections: ConnectionLimits::default(),
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The database.
    #[error("failed to prepare the database")]
    Store(#[from] StoreError),
    /// The tokens.
    #[error("failed to read the tokens")]
    Tokens(#[from] TokensError),
    /// Everybody could write.
    #[error("failed to listen on {address}: without tokens only loopback is listened on; name a file of tokens")]
    Open {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The address.
    #[error("failed to listen on {address}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it cannot.
        source: std::io::Error,
    },
}

/// A server that listens already.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
    options: Options,
    shutdown: CancellationToken,
}

/// How often the database is asked for changes of other replicas.
const POLL: Duration = Duration::from_millis(500);

/// How often what is old is forgotten, and the file of tokens is read again.
const PRUNE: Duration = Duration::from_hours(1);
const TOKENS: Duration = Duration::from_secs(10);

impl Server {
    /// Reads the tokens, migrates the database, listens.
    pub async fn start(options: Options, shutdown: CancellationToken) -> Result<Self, ServerError> {
        let tokens = options
            .tokens
            .as_deref()
            .map(Tokens::read)
            .transpose()?
            .unwrap_or_default();
        let store = Store::new(&options.database, options.registration)?;
        let address = options.listen;
        if tokens.is_empty() && !address.ip().is_loopback() {
            return Err(ServerError::Open { address });
        }
        if tokens.is_empty() {
            tracing::warn!(%address, "no tokens: everybody on this machine may write");
        }
        store.migrate().await?;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ServerError::Listen { address, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| ServerError::Listen { address, source })?;
        Ok(Self {
            listener,
            address,
            app: App::new(store, tokens, options.limits.clone(), shutdown.clone()),
            options,
            shutdown,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the shutdown, finishes what is under way, closes the database.
    pub async fn run(self) {
        let Self {
            listener,
            app,
            options,
            shutdown,
            ..
        } = self;
        tokio::join!(
            listener::serve(listener, router(app.clone()), options.connections, shutdown.clone()),
            app.feed.clone().run(POLL, shutdown.clone()),
            prune(&app.store, options.history, &shutdown),
            reload(&app, options.tokens, &shutdown),
            deliveries(&app, options.delivery).run(shutdown.clone()),
        );
        app.store.close().await;
    }
}

fn deliveries(app: &App, options: DeliveryOptions) -> Deliveries {
    let changed = Arc::clone(&app.undelivered);
    Deliveries::new(app.store.clone(), options, changed, app.metrics.deliveries.clone())
}

async fn prune(store: &Store, history: SignedDuration, shutdown: &CancellationToken) {
    while pause(PRUNE, shutdown).await {
        match tokio::time::timeout(PRUNE, store.prune(history)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(rows)) => tracing::info!(rows, "old history was forgotten"),
            Ok(Err(error)) => tracing::warn!(category = error.category(), "old history stays for now: {error}"),
            Err(_) => tracing::warn!("old history stays for now: the database does not answer"),
        }
    }
}

/// A broken or empty file of tokens leaves the last good one in force.
async fn reload(app: &App, path: Option<PathBuf>, shutdown: &CancellationToken) {
    let Some(path) = path else { return };
    let mut reported = None;
    while pause(TOKENS, shutdown).await {
        match Tokens::read(&path) {
            Ok(tokens) if tokens.is_empty() => {}
            Ok(tokens) if tokens == *app.tokens() => reported = None,
            Ok(tokens) => {
                app.set_tokens(tokens);
                reported = None;
                tracing::info!("other tokens are in force");
            }
            Err(error) => {
                let message = error.to_string();
                if reported.as_ref() != Some(&message) {
                    tracing::warn!("the tokens stay as they were: {message}");
                    reported = Some(message);
                }
            }
        }
    }
}

/// False: the shutdown came.
async fn pause(time: Duration, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

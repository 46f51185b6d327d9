//! One process put together: store, tokens, listener and what goes on beside the requests.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    delivery::{Deliveries, DeliveryOptions},
    http::{
        App, Limits,
        auth::{Accepted, ReviewError, ReviewSettings, Reviewer, Tokens, TokensError},
        router,
    },
    listener::{self, Answering},
    reload::Reloading,
    store::{DatabaseSettings, Registration, Store, StoreError},
    tls::{Tls, TlsError, TlsFiles},
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
    /// How tokens of Kubernetes are reviewed; without it they are not known.
    pub token_review: Option<ReviewSettings>,
    /// Certificates; without them plain HTTP is spoken.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP may be spoken beyond loopback, because something in front of the server speaks TLS.
    pub insecure_http: bool,
    /// How often tokens and certificates are read again.
    pub reload: Duration,
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
            token_review: None,
            tls: None,
            insecure_http: false,
            reload: Duration::from_secs(10),
            history: SignedDuration::from_hours(90 * 24),
            delivery: DeliveryOptions::default(),
            limits: Limits::default(),
            connections: ConnectionLimits::default(),
        }
    }

    fn accepted(&self) -> Accepted {
        Accepted {
            certificates: self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()),
            reviews: self.token_review.is_some(),
        }
    }

    /// Who may listen where: nobody's writes and nobody's tokens cross a network unguarded.
    fn check(&self, tokens: &Tokens) -> Result<(), ServerError> {
        let address = self.listen;
        let is_local = address.ip().is_loopback();
        if tokens.is_empty() && !is_local {
            return Err(ServerError::Open { address });
        }
        if tokens.is_empty() {
            tracing::warn!(%address, "no tokens: everybody on this machine may write");
        }
        match (is_local || self.tls.is_some(), self.insecure_http) {
            (false, false) => Err(ServerError::Plain { address }),
            (false, true) => {
                tracing::warn!(%address, "plain HTTP: something in front has to speak TLS");
                Ok(())
            }
            (true, _) => Ok(()),
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
    /// The certificates.
    #[error("failed to set up TLS")]
    Tls(#[from] TlsError),
    /// The reviews of tokens.
    #[error("failed to set up the review of tokens")]
    Review(#[from] ReviewError),
    /// Everybody between could read the tokens.
    #[error("failed to listen on {address}: tokens would cross the network in the clear")]
    Plain {
        /// Where it was to listen.
        address: SocketAddr,
    },
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
    tls: Option<Tls>,
    options: Options,
    shutdown: CancellationToken,
}

/// How often the database is asked for changes of other replicas.
const POLL: Duration = Duration::from_millis(500);

/// How often what is old is forgotten.
const PRUNE: Duration = Duration::from_hours(1);

impl Server {
    /// Reads tokens and certificates, migrates the database, listens.
    pub async fn start(options: Options, shutdown: CancellationToken) -> Result<Self, ServerError> {
        let tokens = options
            .tokens
            .as_deref()
            .map(Tokens::read)
            .transpose()?
            .unwrap_or_default();
        tokens.check(options.accepted())?;
        let tls = options.tls.clone().map(Tls::read).transpose()?;
        let reviewer = match options.token_review.clone() {
            Some(settings) => Some(Reviewer::new(settings).await?),
            None => None,
        };
        let store = Store::new(&options.database, options.registration)?;
        let address = options.listen;
        options.check(&tokens)?;
        store.migrate().await?;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ServerError::Listen { address, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| ServerError::Listen { address, source })?;
        Ok(Self {
            listener,
            address,
            app: App::new(store, tokens, reviewer, options.limits.clone(), shutdown.clone()),
            tls,
            options,
            shutdown,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http` or `https`.
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Answers until the shutdown, finishes what is under way, closes the database.
    pub async fn run(self) {
        let Self {
            listener,
            app,
            tls,
            options,
            shutdown,
            ..
        } = self;
        let answering = Answering {
            router: router(app.clone()),
            tls: tls.clone(),
            limits: options.connections,
            metrics: app.metrics.clone(),
            shutdown: shutdown.clone(),
        };
        let reloading = Reloading {
            accepted: options.accepted(),
            tokens: options.tokens,
            tls,
            every: options.reload,
        };
        tokio::join!(
            listener::serve(listener, answering),
            app.feed.clone().run(POLL, shutdown.clone()),
            prune(&app.store, options.history, &shutdown),
            deliveries(&app, options.delivery).run(shutdown.clone()),
            reloading.run(&app, &shutdown),
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

/// False: the shutdown came.
pub(crate) async fn pause(time: Duration, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

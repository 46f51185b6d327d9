//! `/metrics`, `/healthz` and `/readyz`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Heartbeat, Metrics};

/// What the pages show.
#[derive(Clone)]
pub struct Pages {
    /// The numbers.
    pub metrics: Metrics,
    /// Whether the engine is alive.
    pub heartbeat: Heartbeat,
    /// Whether this replica knows everything that it needs to take over; if not, what is missing.
    pub ready: Arc<dyn Fn() -> Result<(), &'static str> + Send + Sync>,
}

/// A bound address, not served yet.
#[derive(Debug)]
pub struct Listener(TcpListener);

/// The address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on {address}; choose another address with --listen")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Listener {
    /// Binds `address`; port 0 is any free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let listener = TcpListener::bind(address).await;
        listener.map(Self).map_err(|source| ListenError { address, source })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }

    /// Answers until `shutdown`.
    pub async fn serve(self, pages: Pages, shutdown: CancellationToken) {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(healthy))
            .route("/readyz", get(ready))
            .with_state(pages);
        let server = axum::serve(self.0, router).with_graceful_shutdown(shutdown.cancelled_owned());
        if let Err(error) = server.await {
            tracing::error!(%error, "the server of metrics and probes ended");
        }
    }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    match pages.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn healthy(State(pages): State<Pages>) -> (StatusCode, &'static str) {
    if pages.heartbeat.is_stuck() {
        (StatusCode::SERVICE_UNAVAILABLE, "the engine is stuck\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

async fn ready(State(pages): State<Pages>) -> (StatusCode, String) {
    match (pages.ready)() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {missing}\n")),
    }
}

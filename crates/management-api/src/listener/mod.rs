//! Connections: a bounded number of them, counted from the first packet on, none of which may dawdle over its handshake,
//! its headers or its answers. HTTP/1.1 only: there are no streams to be opened or reset by the thousand.

mod patience;

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use futures::FutureExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    metrics::{Metrics, ResultLabels},
    tls::{Peer, Tls},
};
use patience::Patient;

/// What connections may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// How many at once; further ones wait to be accepted.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake_time: Duration,
    /// How long the headers of a request may take, and how long a connection may be idle.
    pub header_time: Duration,
    /// How long a client may take no byte of its answer.
    pub write_time: Duration,
    /// How long requests that are under way may go on after the shutdown began.
    pub shutdown_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 8_192,
            handshake_time: Duration::from_secs(10),
            header_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            shutdown_time: Duration::from_secs(10),
        }
    }
}

/// The longest headers of one request, in bytes.
const MAX_HEADERS: usize = 64 * 1024;

/// What every connection is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub router: Router,
    pub tls: Option<Tls>,
    pub limits: ConnectionLimits,
    pub metrics: Metrics,
    pub shutdown: CancellationToken,
}

/// Accepts and answers until the shutdown; then requests that are under way are finished.
pub(crate) async fn serve(listener: TcpListener, answering: Answering) {
    let limits = answering.limits;
    let permits = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = answering.shutdown.cancelled() => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let connection = answering.clone().answer(stream);
        connections.spawn(connection.map(|()| drop(permit)));
    }
    drop(listener);
    connections.close();
    let _ = tokio::time::timeout(limits.shutdown_time, connections.wait()).await;
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // Out of file descriptors, or a connection that was given up already; a short pause lets others finish.
            tracing::debug!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

impl Answering {
    async fn answer(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.limits.write_time);
        let Some(tls) = &self.tls else {
            return self.talk(stream, None).await;
        };
        let (acceptor, retired) = tls.acceptor();
        let handshake = tokio::time::timeout(self.limits.handshake_time, acceptor.accept(stream));
        let shaken = tokio::select! {
            () = self.shutdown.cancelled() => return,
            shaken = handshake => shaken,
        };
        self.count(match &shaken {
            Ok(Ok(_)) => "ok",
            Ok(Err(_)) => "failed",
            Err(_) => "late",
        });
        // A handshake that fails is the client's to notice.
        if let Ok(Ok(stream)) = shaken {
            let peer = Peer::of(stream.get_ref().1, retired);
            self.talk(stream, peer).await;
        }
    }

    fn count(&self, result: &str) {
        let labels = ResultLabels {
            result: result.to_owned(),
        };
        self.metrics.handshakes.get_or_create(&labels).inc();
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: Option<Peer>) {
        let (router, known) = (self.router, peer.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(peer) = &known {
                request.extensions_mut().insert(peer.clone());
            }
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_time)
            .max_buf_size(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // A connection that breaks is the client's to notice.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = self.shutdown.cancelled() => {}
            () = retired(peer.as_ref()) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(self.limits.shutdown_time, connection).await;
    }
}

async fn retired(peer: Option<&Peer>) {
    match peer {
        Some(peer) => peer.retired().await,
        None => std::future::pending().await,
    }
}

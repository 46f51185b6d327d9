//! The listener and its connections, which can all be cut.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use crate::http::{Shared, handle};

/// Keeps a port ours while nobody listens on it: bound, never listening. Without it an outgoing connection of anybody
/// could take the port during an outage.
#[derive(Debug)]
pub(crate) struct Reserved {
    _socket: TcpSocket,
    /// The address, with the port that was free if none was asked for.
    pub address: SocketAddr,
}

impl Reserved {
    /// Takes a port.
    pub fn take(wanted: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // Listeners have it too, so both can be bound at a time.
        socket.set_reuseaddr(true)?;
        socket.bind(wanted)?;
        let address = socket.local_addr()?;
        Ok(Self {
            _socket: socket,
            address,
        })
    }
}

/// A listening server.
#[derive(Debug)]
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Server {
    /// Listens on an address.
    pub async fn listen(shared: Arc<Shared>, acceptor: TlsAcceptor, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(accept(listener, acceptor, shared, stopped));
        Ok(Self { stop, ended })
    }

    /// Stops listening and cuts every connection; returns when all of it has happened.
    pub async fn stop(self) {
        drop(self.stop);
        let _ = self.ended.await;
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(serve(stream, acceptor.clone(), shared.clone()));
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request: http::Request<Incoming>| handle(shared.clone(), request.map(Body::new)));
    // A connection that fails is the client's to notice.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

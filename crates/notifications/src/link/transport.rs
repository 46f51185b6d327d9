//! The bytes below AMQP: TCP or TLS, opened within a time, and cut when nobody wants them any more.
//!
//! The client library keeps a thread and a socket for every connection that it has begun, for as long as the other side is
//! silent. Cutting the transport ends them.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    FutureExt,
    io::{AsyncRead, AsyncWrite},
};
use multinic_model::Broker;
use multinic_transport::Tls;
use tokio::{
    net::TcpStream,
    runtime::Handle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_util::{
    compat::{Compat, TokioAsyncReadCompatExt},
    sync::{CancellationToken, WaitForCancellationFutureOwned},
};

/// For so long a connection may say good-bye.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// An open connection; ends for its reader once it is cut.
pub(super) struct Transport {
    bytes: Compat<Box<dyn Bytes>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

trait Bytes: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Bytes for T {}

/// Cuts a transport, soon after it is dropped.
#[derive(Debug, Default)]
pub(super) struct Cut(CancellationToken);

impl Cut {
    /// What ends when this is dropped.
    pub fn token(&self) -> CancellationToken {
        self.0.clone()
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let token = self.0.clone();
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                sleep(GOOD_BYE).await;
                token.cancel();
            })),
            Err(_) => token.cancel(),
        }
    }
}

/// Opens TCP, and TLS above it.
pub(super) async fn open(
    broker: &Broker,
    tls: &Tls,
    within: Duration,
    cut: CancellationToken,
) -> io::Result<Transport> {
    let opened = tokio::select! {
        opened = timeout(within, bytes(broker, tls)) => opened,
        () = cut.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
    };
    Ok(Transport {
        bytes: opened.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??.compat(),
        cut: Box::pin(cut.cancelled_owned()),
    })
}

async fn bytes(broker: &Broker, tls: &Tls) -> io::Result<Box<dyn Bytes>> {
    let tcp = TcpStream::connect((broker.host.as_str(), broker.port)).await?;
    tcp.set_nodelay(true)?;
    if !broker.tls {
        return Ok(Box::new(tcp));
    }
    let config = tls.client_config().map_err(io::Error::other)?;
    let name = ServerName::try_from(broker.host.clone()).map_err(io::Error::other)?;
    let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    Ok(Box::new(tls))
}

impl AsyncRead for Transport {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.cut.poll_unpin(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.bytes).poll_read(context, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_close(context)
    }
}

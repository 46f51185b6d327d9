//! Listeners on loopback, served by a thread of their own.
//!
//! The thread has its own runtime: a test may pause its clock, block its thread or run without any runtime, and the
//! simulator goes on answering.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use tokio::{runtime, sync::oneshot};

use super::connection::{Door, Handler, serve};

/// A bound socket and what answers on it.
pub(crate) struct Listener {
    /// Bound, not yet accepting.
    pub socket: TcpListener,
    /// How it speaks.
    pub door: Door,
    /// What it says.
    pub handler: Arc<dyn Handler>,
}

/// Serving until dropped.
#[derive(Debug)]
pub(crate) struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// A socket on a free port of 127.0.0.1.
pub(crate) fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

impl Running {
    /// Starts to accept on all of them.
    pub fn start(listeners: Vec<Listener>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("lab".to_owned()).spawn(move || {
            runtime.block_on(async move {
                for listener in listeners {
                    tokio::spawn(accept(listener));
                }
                // An error means that the sender is gone: stop as well.
                let _ = stopped.await;
            });
        })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been printed already.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: Listener) {
    let Ok(socket) = tokio::net::TcpListener::from_std(listener.socket) else {
        return;
    };
    loop {
        // A failing accept (say, out of file descriptors) concerns one client, not the listener.
        if let Ok((stream, _)) = socket.accept().await {
            // Only a hint.
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve(stream, listener.door, Arc::clone(&listener.handler)));
        } else {
            tokio::task::yield_now().await;
        }
    }
}

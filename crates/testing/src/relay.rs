//! A TCP address on loopback that leads elsewhere: what is behind it can be exchanged, cut off, or fall silent.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// What a connection meets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Behind {
    /// The server of this socket.
    Socket(PathBuf),
    /// Nobody: connections are closed.
    Nobody,
    /// Nothing: connections stay open and nothing comes back, as from a machine that lost its power.
    Silence,
}

/// Relays until dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    behind: watch::Sender<(Behind, u64)>,
    task: JoinHandle<()>,
}

impl Relay {
    /// One that leads to this socket.
    pub async fn to(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (behind, seen) = watch::channel((Behind::Socket(socket.to_owned()), 0));
        Self {
            address: listener.local_addr().unwrap(),
            behind,
            task: tokio::spawn(relay(listener, seen)),
        }
    }

    /// The address that stays.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads elsewhere from now on. Connections that are there are closed, or, on silence, hear nothing more.
    pub fn lead(&self, behind: Behind) {
        self.behind.send_modify(|(now, generation)| {
            *now = behind;
            *generation += 1;
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(listener: TcpListener, behind: watch::Receiver<(Behind, u64)>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        connections.spawn(connect(client, behind.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(mut client: TcpStream, mut behind: watch::Receiver<(Behind, u64)>) {
    let (now, _) = behind.borrow_and_update().clone();
    let Behind::Socket(socket) = now else {
        return linger(client, behind, &now).await;
    };
    let Ok(mut server) = UnixStream::connect(&socket).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let ended = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => true,
        _ = behind.changed() => false,
    };
    if !ended {
        let (now, _) = behind.borrow_and_update().clone();
        linger(client, behind, &now).await;
    }
}

/// Holds a connection open for as long as there is silence, and for good after it: what was lost stays lost.
async fn linger(client: TcpStream, mut behind: watch::Receiver<(Behind, u64)>, now: &Behind) {
    if *now == Behind::Silence {
        let _ = behind.wait_for(|_| false).await;
    }
    drop(client);
}

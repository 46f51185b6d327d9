//! A proxy that passes every byte on unchanged and writes down what was asked and which tokens went by.
//!
//! Byte for byte, so that the product meets the servers' own framing, resets and keep-alive, not those of an HTTP library.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::Failure;

const CHUNK_BYTES: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

#[derive(Default)]
struct Seen {
    requests: Vec<String>,
    tokens: Vec<String>,
}

/// A running proxy in front of one server. It ends with the program.
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Proxy {
    /// Listens on a free port of the loopback.
    pub async fn start(target: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::<Mutex<Seen>>::default();
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move { pass_on(client, target, noted).await });
            }
        });
        Ok(Self { address, seen })
    }

    /// `http://127.0.0.1:PORT` with the given path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far, as `METHOD TARGET`.
    pub fn requests(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .clone()
    }

    /// Forgets the requests so far; tokens are kept.
    pub fn forget_requests(&self) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .clear();
    }

    /// Every token that went by, in either direction.
    pub fn tokens(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).tokens.clone()
    }
}

async fn pass_on(client: TcpStream, target: SocketAddr, seen: Arc<Mutex<Seen>>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = copy(from_client, to_server, Reader::new(true, Arc::clone(&seen)));
    let answers = copy(from_server, to_client, Reader::new(false, seen));
    tokio::join!(requests, answers);
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut reader: Reader) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        let bytes = chunk.get(..count).unwrap_or_default();
        reader.read(bytes);
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await; // the other side may be gone already: nothing is left to tell it
}

/// Follows one direction of a connection: head, body, head, … An answer's length may be unknown (it ends with the
/// connection), so only the first head of that direction is read, which is where a fresh token comes.
struct Reader {
    requests: bool,
    head: Vec<u8>,
    body_left: usize,
    seen: Arc<Mutex<Seen>>,
}

impl Reader {
    fn new(requests: bool, seen: Arc<Mutex<Seen>>) -> Self {
        Self {
            requests,
            head: Vec::new(),
            body_left: 0,
            seen,
        }
    }

    fn read(&mut self, mut bytes: &[u8]) {
        loop {
            let skipped = self.body_left.min(bytes.len());
            self.body_left -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            let before = self.head.len();
            self.head.extend_from_slice(bytes);
            let Some(end) = self
                .head
                .windows(END_OF_HEAD.len())
                .position(|four| four == END_OF_HEAD)
            else {
                return;
            };
            let used = (end + END_OF_HEAD.len()).saturating_sub(before);
            bytes = bytes.get(used..).unwrap_or_default();
            self.head.truncate(end);
            self.note_head();
            self.head.clear();
        }
    }

    fn note_head(&mut self) {
        let head = String::from_utf8_lossy(&self.head).into_owned();
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match name.to_ascii_lowercase().as_str() {
                "x-auth-token" | "x-subject-token" => seen.tokens.push(value.trim().to_owned()),
                "content-length" => self.body_left = value.trim().parse().unwrap_or(0),
                _ => {}
            }
        }
        if self.requests {
            seen.requests.push(first.trim_end_matches(" HTTP/1.1").to_owned());
        } else {
            self.body_left = usize::MAX;
        }
    }
}

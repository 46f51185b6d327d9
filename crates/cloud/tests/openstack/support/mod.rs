//! A small OpenStack on a real socket: every path answers from a list of answers, and all requests are remembered.

pub mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// What the server does with one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Like Neutron under eventlet: with a length, and the connection stays open.
    Full {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Like Nova and Keystone under uWSGI: no length, the end of the connection ends the body.
    UntilClose {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// A length that is never reached.
    Cut { body: Vec<u8>, length: usize },
    /// The connection is closed without a word.
    HangUp,
    /// Nothing ever comes.
    Silence,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type".into(), "application/json".into())];
        Self::Full {
            status,
            headers,
            body: body.to_string().into_bytes(),
        }
    }

    pub fn empty(status: u16) -> Self {
        Self::Full {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Full { headers, .. } | Self::UntilClose { headers, .. } = &mut self {
            headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
            headers.push((name.into(), value.into()));
        }
        self
    }

    pub fn until_close(self) -> Self {
        match self {
            Self::Full { status, headers, body } => Self::UntilClose { status, headers, body },
            other => other,
        }
    }

    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::Full { body, .. } | Self::UntilClose { body, .. } | Self::Cut { body, .. } => body.clone(),
            Self::HangUp | Self::Silence => Vec::new(),
        }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub target: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn all(&self, key: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub fn token(&self) -> &str {
        self.headers.get("x-auth-token").map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Handler = Arc<dyn Fn(&Seen, usize) -> Answer + Send + Sync>;

/// The server; it lives as long as the test's runtime.
#[derive(Clone)]
pub struct Server {
    pub address: String,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// `handler` is also told how many requests for the same path came before.
    pub async fn start(handler: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), None, handler)
    }

    pub fn start_on(
        listener: TcpListener,
        tls: Option<tokio_rustls::TlsAcceptor>,
        handler: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            log: Arc::default(),
        };
        let (log, handler): (_, Handler) = (Arc::clone(&server.log), Arc::new(handler));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(connection(socket, tls.clone(), Arc::clone(&handler), Arc::clone(&log)));
            }
        });
        server
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// The requests whose path ends with `path`.
    pub fn on(&self, path: &str) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.path.ends_with(path))
            .collect()
    }
}

async fn connection(
    socket: TcpStream,
    tls: Option<tokio_rustls::TlsAcceptor>,
    handler: Handler,
    log: Arc<Mutex<Vec<Seen>>>,
) {
    match tls {
        None => serve(socket, handler, log).await,
        Some(tls) => {
            if let Ok(socket) = tls.accept(socket).await {
                serve(socket, handler, log).await;
            }
        }
    }
}

async fn serve(mut socket: impl AsyncRead + AsyncWrite + Unpin, handler: Handler, log: Arc<Mutex<Vec<Seen>>>) {
    while let Some(seen) = read_request(&mut socket).await {
        let before = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.iter().filter(|other| other.path == seen.path).count() - 1
        };
        let (head, body, stay) = match handler(&seen, before) {
            Answer::Full {
                status,
                mut headers,
                body,
            } => {
                headers.push(("Content-Length".into(), body.len().to_string()));
                (head(status, &headers), body, true)
            }
            Answer::UntilClose { status, headers, body } => (head(status, &headers), body, false),
            Answer::Cut { body, length } => (head(200, &[("Content-Length".into(), length.to_string())]), body, false),
            Answer::HangUp => return,
            Answer::Silence => return std::future::pending().await,
        };
        if socket.write_all(&[head.into_bytes(), body].concat()).await.is_err() || !stay {
            let _ = socket.shutdown().await;
            return;
        }
    }
}

fn head(status: u16, headers: &[(String, String)]) -> String {
    let lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let lines = lines.concat();
    format!("HTTP/1.1 {status} X\r\n{lines}\r\n")
}

async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let target = first.nth(1).unwrap().to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![
        0;
        headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap())
    ];
    socket.read_exact(&mut body).await.ok()?;
    let url = Url::parse("http://server").unwrap().join(&target).unwrap();
    let query = url.query_pairs().into_owned().collect();
    Some(Seen {
        path: url.path().to_owned(),
        target,
        query,
        headers,
        body,
    })
}

/// A recorded answer of a real OpenStack.
pub fn recorded(name: &str) -> Answer {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let headers = recording["headers"].as_array().unwrap().iter().filter_map(|header| {
        let name = header[0].as_str().unwrap();
        let own = ["content-length", "connection", "transfer-encoding"].contains(&name.to_lowercase().as_str());
        (!own).then(|| (name.to_owned(), header[1].as_str().unwrap().to_owned()))
    });
    let status = recording["status"].as_u64().unwrap().try_into().unwrap();
    Answer::Full {
        status,
        headers: headers.collect(),
        body: recording["body"].to_string().into_bytes(),
    }
}

/// The body of a recorded answer.
pub fn recorded_body(name: &str) -> Value {
    serde_json::from_slice(&recorded(name).body()).unwrap()
}

//! A server on loopback whose every answer the test decides, broken ones included, and which remembers every request.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// One answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer.
    Http {
        /// Its status.
        status: u16,
        /// Its headers; `content-length` is added.
        headers: Vec<(String, String)>,
        /// Its body.
        body: Vec<u8>,
    },
    /// An answer of 200 whose body ends before its `content-length`.
    Truncated(Vec<u8>),
    /// The connection is closed without an answer.
    Closed,
    /// Nothing, for as long as the client waits.
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Its whole body.
    pub body: Vec<u8>,
}

/// The server; it ends when dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

type Answering = Arc<Mutex<dyn FnMut(&Request) -> Reply + Send>>;

impl Reply {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::Http {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::status(status)
            .header("content-type", "application/json")
            .body(body)
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With another body.
    #[must_use]
    pub fn body(mut self, new: impl Into<Vec<u8>>) -> Self {
        if let Self::Http { body, .. } = &mut self {
            *body = new.into();
        }
        self
    }
}

impl Server {
    /// Answers with `script`, one reply per request; a request too many is answered with 418, which nobody expects.
    pub async fn scripted(script: impl IntoIterator<Item = Reply>) -> Self {
        let mut script = script.into_iter().collect::<Vec<_>>().into_iter();
        Self::answering(move |_| script.next().unwrap_or_else(|| Reply::status(418))).await
    }

    /// Answers each request with what `answer` makes of it.
    pub async fn answering(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::default();
        let answer: Answering = Arc::new(Mutex::new(answer));
        let log = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&log)));
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// Its base address.
    pub fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Every request so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The methods and targets of every request so far: `GET /path?query`.
    pub fn lines(&self) -> Vec<String> {
        self.requests()
            .iter()
            .map(|request| format!("{} {}", request.method, request.target))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: Answering, log: Arc<Mutex<Vec<Request>>>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let reply = (answer.lock().unwrap())(&request);
        log.lock().unwrap().push(request);
        let (bytes, goes_on) = match reply {
            Reply::Http { status, headers, body } => (answer_bytes(status, &headers, &body), true),
            Reply::Truncated(body) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() + 1);
                ([head.as_bytes(), &body].concat(), false)
            }
            Reply::Closed => return,
            Reply::Silence => std::future::pending().await,
        };
        if stream.write_all(&bytes).await.is_err() || !goes_on {
            return;
        }
    }
}

fn answer_bytes(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {status} Scripted")];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    // 204 must not have a length.
    if status != 204 {
        lines.push(format!("content-length: {}", body.len()));
    }
    [lines.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

/// `None` when the client hangs up, or speaks something else than HTTP and is told so.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        match parse(buffer) {
            Ok(Some((request, used))) => {
                buffer.drain(..used);
                return Some(request);
            }
            Ok(None) => {}
            Err(_) => {
                let _ = stream.write_all(&answer_bytes(400, &[], b"")).await;
                return None;
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A whole request at the beginning of `buffer` and its length; `None` as long as something is missing.
fn parse(buffer: &[u8]) -> Result<Option<(Request, usize)>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(buffer)? else {
        return Ok(None);
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let headers: BTreeMap<_, _> = head
        .headers
        .iter()
        .map(|header| (header.name.to_lowercase(), text(header.value)))
        .collect();
    let end = start
        + headers
            .get("content-length")
            .map_or(0, |length| length.parse::<usize>().unwrap());
    let Some(body) = buffer.get(start..end) else {
        return Ok(None);
    };
    let (method, target) = (
        head.method.unwrap_or_default().to_owned(),
        head.path.unwrap_or_default().to_owned(),
    );
    Ok(Some((
        Request {
            method,
            target,
            headers,
            body: body.to_vec(),
        },
        end,
    )))
}

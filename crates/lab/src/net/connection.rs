//! One connection: requests in, answers out, and every way an answer can go wrong.

use std::{io, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{Reply, Request};

/// How much of a head is read at most; real servers give up long before.
const HEAD_MAX: usize = 1 << 20;
/// How much of a body is read at most.
const BODY_MAX: usize = 64 << 20;
const HEADERS_MAX: usize = 64;
/// `GET target HTTP/1.1\r\n` without method and target.
const REQUEST_LINE_REST: usize = " ".len() + " HTTP/1.1\r\n".len();

/// How answers are delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// `Content-Length`, and the connection stays open (Neutron under eventlet).
    KeepAlive,
    /// Neither length nor chunks nor an announcement; the connection is closed after the body (Debian's uWSGI).
    UntilClose,
}

/// What happens to a request line that is too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TooLong {
    /// A request line of so many bytes (its line end included) or more is a 414 with an empty body (eventlet).
    Status414 {
        /// 8192 in eventlet.
        line: usize,
    },
    /// A longer target closes the connection without any answer (uWSGI).
    Close {
        /// About 65,070 with Debian's settings.
        target: usize,
    },
}

/// How one listener speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    /// How answers are delimited.
    pub framing: Framing,
    /// What happens to a request line that is too long.
    pub too_long: TooLong,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer.
    Reply(Reply),
    /// Only the first `bytes` of the answer's body, although its length is announced where lengths are; then the
    /// connection is closed, or reset.
    Cut {
        /// The answer that would have been.
        reply: Reply,
        /// How much of the body is sent.
        bytes: usize,
        /// RST instead of FIN.
        reset: bool,
    },
    /// The whole answer, a piece at a time.
    Slow {
        /// The answer.
        reply: Reply,
        /// Bytes of body per piece.
        piece: usize,
        /// Before each piece.
        pause: Duration,
    },
    /// RST without any answer.
    Reset,
    /// FIN without any answer.
    Close,
    /// Nothing at all, until the client goes away.
    Hang,
}

/// An outcome and the time before it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The time before it.
    pub delay: Duration,
    /// What happens then.
    pub outcome: Outcome,
}

/// Answers requests. Called on the lab's only thread, so it must be quick and must not block.
pub(crate) trait Handler: Send + Sync + 'static {
    /// What becomes of the request.
    fn answer(&self, request: &Request) -> Answer;
}

/// Serves one connection to its end. Errors are the client's to notice.
pub(super) async fn serve(mut stream: TcpStream, door: Door, handler: Arc<dyn Handler>) {
    let mut buffer = BytesMut::with_capacity(4096);
    while let Ok(Some(request)) = read_request(&mut stream, &mut buffer).await {
        let answer = match refuse_too_long(&request, door.too_long) {
            Some(outcome) => Answer {
                delay: Duration::ZERO,
                outcome,
            },
            None => handler.answer(&request),
        };
        if !answer.delay.is_zero() {
            sleep(answer.delay).await;
        }
        let head_only = request.method == "HEAD";
        match perform(&mut stream, door.framing, answer.outcome, head_only).await {
            Ok(Then::Continue) => {}
            // Without the orderly end, dropping the socket sends the RST.
            Ok(Then::Reset) => return,
            Ok(Then::Close) | Err(_) => break,
        }
    }
    // The client may have closed first.
    let _ = stream.shutdown().await;
}

fn refuse_too_long(request: &Request, too_long: TooLong) -> Option<Outcome> {
    match too_long {
        TooLong::Status414 { line } if request.method.len() + request.target.len() + REQUEST_LINE_REST >= line => {
            Some(Outcome::Reply(Reply::empty(414).header("Connection", "close")))
        }
        TooLong::Close { target } if request.target.len() > target => Some(Outcome::Close),
        _ => None,
    }
}

/// What becomes of the connection.
enum Then {
    Continue,
    Close,
    Reset,
}

impl Then {
    fn keep(keep: bool) -> Self {
        if keep { Self::Continue } else { Self::Close }
    }

    fn reset(stream: &TcpStream) -> io::Result<Self> {
        stream.set_zero_linger().map(|()| Self::Reset)
    }
}

/// Does what the outcome says.
async fn perform(stream: &mut TcpStream, framing: Framing, outcome: Outcome, head_only: bool) -> io::Result<Then> {
    let keeps = framing == Framing::KeepAlive;
    match outcome {
        Outcome::Reply(reply) => {
            let body: &[u8] = if head_only { &[] } else { &reply.body };
            write(stream, framing, &reply, body).await?;
            let announced = reply
                .headers
                .iter()
                .any(|(name, value)| *name == "Connection" && value == "close");
            Ok(Then::keep(keeps && !announced))
        }
        Outcome::Cut { reply, bytes, reset } => {
            let part = reply.body.get(..bytes).unwrap_or(&reply.body);
            write(stream, framing, &reply, part).await?;
            if reset { Then::reset(stream) } else { Ok(Then::Close) }
        }
        Outcome::Slow { reply, piece, pause } => {
            write(stream, framing, &reply, &[]).await?;
            for chunk in reply.body.chunks(piece.max(1)) {
                sleep(pause).await;
                stream.write_all(chunk).await?;
            }
            Ok(Then::keep(keeps))
        }
        Outcome::Reset => Then::reset(stream),
        Outcome::Close => Ok(Then::Close),
        Outcome::Hang => {
            while stream.read(&mut [0; 1024]).await? > 0 {}
            Ok(Then::Close)
        }
    }
}

async fn write(stream: &mut TcpStream, framing: Framing, reply: &Reply, body: &[u8]) -> io::Result<()> {
    let length = [("Content-Length", reply.body.len().to_string())];
    let head = reply.head(match framing {
        Framing::KeepAlive if reply.status != 204 => &length,
        _ => &[],
    });
    // One write where possible: a client sees the head and the body at once, as it mostly does in life.
    let mut whole = Buf::chain(&head[..], body);
    stream.write_all_buf(&mut whole).await?;
    stream.flush().await
}

/// The next request; `None` at the end of the connection.
async fn read_request(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Option<Request>> {
    let (mut request, head_length, body_length) = loop {
        if let Some(parsed) = parse_head(buffer)? {
            break parsed;
        }
        if buffer.len() > HEAD_MAX || stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    buffer.advance(head_length);
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    while buffer.len() < body_length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    request.body = Bytes::from(buffer.split_to(body_length));
    Ok(Some(request))
}

/// The request without its body, the length of its head and of its body; `None` if the head is not complete yet.
fn parse_head(buffer: &[u8]) -> io::Result<Option<(Request, usize, usize)>> {
    // Nothing is parsed before the whole head is there: a long head must not be parsed again with every packet.
    if !buffer.windows(4).any(|window| window == b"\r\n\r\n") {
        return Ok(None);
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = parsed.parse(buffer) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let headers: Vec<_> = parsed
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_ascii_lowercase(),
                String::from_utf8_lossy(header.value).into_owned(),
            )
        })
        .collect();
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers,
        body: Bytes::new(),
    };
    let body = request
        .header("content-length")
        .map_or(Ok(0), str::parse)
        .map_err(|_| io::ErrorKind::InvalidData)?;
    if body > BODY_MAX || request.header("transfer-encoding").is_some() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Some((request, length, body)))
}

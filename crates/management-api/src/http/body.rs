//! Reading a body: of one type, of bounded length, within bounded time, a bounded number of them at once.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::sync::SemaphorePermit;

use super::{App, Fault, Problem};

/// A body, and the right to hold one in memory.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub bytes: Bytes,
    _permit: SemaphorePermit<'a>,
}

impl App {
    /// Reads a JSON body of at most `max` bytes.
    pub(super) async fn body(&self, headers: &HeaderMap, body: Body, max: usize) -> Result<Held<'_>, Problem> {
        check_type(headers)?;
        check_length(headers, max)?;
        let patience = self.limits.body_time;
        let late = || {
            let title = "The body came too slowly";
            let detail = format!("the body has to arrive within {} s", patience.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", title, detail)
        };
        let permit = tokio::time::timeout(patience, self.bodies.acquire()).await;
        let permit = permit.ok().and_then(Result::ok);
        let permit = permit.ok_or_else(|| Problem::busy("too many requests at once", 2))?;
        let bytes = tokio::time::timeout(patience, read(body, max))
            .await
            .map_err(|_| late())??;
        Ok(Held { bytes, _permit: permit })
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or("?"));
    let mut parts = found.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    let encoding = headers.get(header::CONTENT_ENCODING);
    let is_plain = encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_json && is_utf8 && is_plain {
        return Ok(());
    }
    let fault = if is_plain {
        Fault::new("content-type", "the body has to be JSON")
            .found(found)
            .allowed("application/json in UTF-8")
    } else {
        Fault::new("content-encoding", "the body has to be uncompressed").allowed("identity")
    };
    let title = "The body's type is not supported";
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        title,
        fault.line(),
    )
    .with(fault))
}

fn check_length(headers: &HeaderMap, max: usize) -> Result<(), Problem> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > max as u64 => Err(too_large(&format!("{length} bytes"), max)),
        _ => Ok(()),
    }
}

fn too_large(found: &str, max: usize) -> Problem {
    let fault = Fault::new("body", "the body is too large")
        .found(found)
        .allowed(format!("at most {max} bytes"));
    let title = "The body is too large";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title, fault.line()).with(fault)
}

async fn read(body: Body, max: usize) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Problem::bad(Fault::new("body", "the body broke off")))?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large(&format!("more than {max} bytes"), max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

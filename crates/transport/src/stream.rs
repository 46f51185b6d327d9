//! Answers that go on for as long as both sides like, such as a watch.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use tokio::time::timeout;

use crate::{Answer, SendError, SendErrorKind, body::read_body};

/// A year; the library's own time-out is for the whole answer, which does not end here.
const ENDLESS: Duration = Duration::from_hours(24 * 365);

/// An answer that comes in pieces.
#[derive(Debug)]
pub struct Stream(reqwest::Response);

/// What a request for a stream got.
#[derive(Debug)]
pub enum Opened {
    /// 2xx: it streams.
    Stream(Stream),
    /// Anything else, read whole.
    Refused(Answer),
}

impl Stream {
    /// The next piece; `None`: the server ended it. Nothing for `patience` counts as [`SendErrorKind::Timeout`].
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, SendError> {
        within(patience, self.0.chunk()).await
    }
}

/// Sends the request and waits for at most `patience` for the answer to begin.
pub(crate) async fn open(
    request: reqwest::RequestBuilder,
    patience: Duration,
    max: usize,
) -> Result<Opened, SendError> {
    let response = within(patience, request.timeout(ENDLESS).send()).await?;
    if response.status().is_success() {
        return Ok(Opened::Stream(Stream(response)));
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let body = timeout(patience, read_body(response, max)).await;
    let body = body.map_err(|_| SendError::bare(SendErrorKind::Timeout, 1))?;
    Ok(Opened::Refused(Answer {
        status,
        headers,
        body: body.map_err(|source| SendError::body(source, 1))?,
        attempts: 1,
    }))
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, reqwest::Error>>) -> Result<T, SendError> {
    match timeout(patience, work).await {
        Ok(done) => done.map_err(|source| SendError::new(source, 1)),
        Err(_) => Err(SendError::bare(SendErrorKind::Timeout, 1)),
    }
}

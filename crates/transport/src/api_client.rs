//! A client of one JSON API: base address, optional bearer token, retries, bounded answers, a request counter.

use std::{
    fmt,
    future::poll_fn,
    num::NonZeroU32,
    pin::pin,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    task::Poll,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION, header::LOCATION};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    AlwaysOpen, BaseUrl, Endpoint, EndpointError, Gate, Opened, Pauses, RetryPolicy, SendError, Tally, body::read_body,
    printable::error_detail, printable::printable, retry::Transient, retry_after::retry_after, stream,
};

/// A client of one JSON API. It never shows its token.
pub struct ApiClient {
    http: reqwest::Client,
    base: BaseUrl,
    token: Option<Token>,
    retry: RetryPolicy,
    pauses: Pauses,
    requests: AtomicU64,
    answers: Tally,
}

struct Token {
    secret: SecretString,
    header: HeaderValue,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The status of the last attempt.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
    /// How many attempts were made.
    pub attempts: u32,
}

/// A failed attempt: no answer, or one that says "later".
enum Failure {
    Status(Answer),
    Send(SendError),
}

impl ApiClient {
    /// Checks the address and the token and builds the HTTP client. White space around the token is dropped (a file
    /// often ends with a line break).
    pub fn new(
        address: Url,
        token: Option<&SecretString>,
        endpoint: &Endpoint,
        retry: RetryPolicy,
    ) -> Result<Self, EndpointError> {
        Ok(Self {
            http: endpoint.client(&address)?,
            base: address.try_into().map_err(EndpointError::Address)?,
            token: token.map(Token::new).transpose()?,
            retry,
            pauses: Pauses::default(),
            requests: AtomicU64::new(0),
            answers: Tally::default(),
        })
    }

    /// Other attempts and pauses.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// Spends the pauses between attempts otherwise than by sleeping.
    #[must_use]
    pub fn with_pauses(self, pauses: Pauses) -> Self {
        Self { pauses, ..self }
    }

    /// The base address.
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// How many requests were sent so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The requests that are over, by class of answer.
    pub const fn answers(&self) -> &Tally {
        &self.answers
    }

    /// Sends what `build` makes, with the token, at most `attempts` times (never more than the policy allows):
    /// again after a transport error, 408, 429 and 5xx except 501. The last answer is returned, whatever its status; its
    /// body is read up to `max` bytes.
    pub async fn send(
        &self,
        attempts: NonZeroU32,
        max: usize,
        build: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Answer, SendError> {
        self.send_through(&AlwaysOpen, attempts, max, build).await
    }

    /// Like [`ApiClient::send`], asking `gate` before each attempt and whenever an attempt goes on. A closed gate ends it
    /// with [`SendErrorKind::Fenced`](crate::SendErrorKind::Fenced).
    pub async fn send_through(
        &self,
        gate: &dyn Gate,
        attempts: NonZeroU32,
        max: usize,
        build: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Answer, SendError> {
        let made = AtomicU32::new(0);
        let attempt = || async {
            let request = build(&self.http);
            if !gate.is_open() {
                return Err(Failure::Send(SendError::fenced(made.load(Ordering::Relaxed))));
            }
            let number = made.fetch_add(1, Ordering::Relaxed) + 1;
            self.attempt(gate, request, max, number).await
        };
        let retry = RetryPolicy {
            attempts: self.retry.attempts.min(attempts),
            ..self.retry
        };
        match retry.run(&self.pauses, attempt).await {
            Ok(answer) | Err(Failure::Status(answer)) => Ok(answer),
            Err(Failure::Send(error)) => Err(error),
        }
    }

    /// Sends what `build` makes, with the token, once, and hands the answer's body over as it comes. An answer other
    /// than 2xx is read whole, up to `max` bytes. `patience` is how long the answer may take to begin.
    pub async fn open(
        &self,
        patience: Duration,
        max: usize,
        build: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Opened, SendError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let opened = stream::open(self.authorised(build(&self.http)), patience, max).await;
        self.answers.count(opened.as_ref().ok().map(|opened| match opened {
            Opened::Stream(_) => StatusCode::OK,
            Opened::Refused(answer) => answer.status,
        }));
        opened
    }

    /// The pauses between attempts.
    pub const fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.header.clone()),
            None => request,
        }
    }

    async fn attempt(
        &self,
        gate: &dyn Gate,
        request: reqwest::RequestBuilder,
        max: usize,
        number: u32,
    ) -> Result<Answer, Failure> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = self.exchange(request, max, number);
        let answer = while_open(gate, exchange).await;
        let answer = answer.unwrap_or_else(|| Err(SendError::fenced(number)));
        self.answers.count(answer.as_ref().ok().map(|answer| answer.status));
        match answer {
            Ok(answer) if is_transient(answer.status) => Err(Failure::Status(answer)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(Failure::Send(error)),
        }
    }

    async fn exchange(&self, request: reqwest::RequestBuilder, max: usize, number: u32) -> Result<Answer, SendError> {
        let response = self
            .authorised(request)
            .send()
            .await
            .map_err(|source| SendError::new(source, number))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(response, max).await;
        Ok(Answer {
            status,
            headers,
            body: body.map_err(|source| SendError::body(source, number))?,
            attempts: number,
        })
    }

    /// What the server says about an error, as one printable line in which the token does not occur.
    pub fn detail(&self, answer: &Answer) -> Option<String> {
        error_detail(&answer.headers, &answer.body).map(|detail| self.redact(&detail))
    }

    /// `text` without the token, should a server repeat it.
    pub fn redact(&self, text: &str) -> String {
        match &self.token {
            Some(token) => text.replace(token.secret.expose_secret(), "[token]"),
            None => text.to_owned(),
        }
    }
}

impl Answer {
    /// Where a redirect points to, as one printable line.
    pub fn location(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?;
        Some(printable(&String::from_utf8_lossy(location.as_bytes())))
    }
}

/// Nothing is sent before a request is polled, and connecting takes several polls: the gate is asked at each one, so that
/// a process that is stopped while it connects does not send when it wakes up. `None`: the gate was closed.
async fn while_open<T>(gate: &dyn Gate, exchange: impl Future<Output = T>) -> Option<T> {
    let mut exchange = pin!(exchange);
    poll_fn(|context| {
        if gate.is_open() {
            exchange.as_mut().poll(context).map(Some)
        } else {
            Poll::Ready(None)
        }
    })
    .await
}

/// 501 says that waiting will not help; every other 5xx may pass.
fn is_transient(status: StatusCode) -> bool {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::NOT_IMPLEMENTED => false,
        status => status.is_server_error(),
    }
}

impl Token {
    fn new(token: &SecretString) -> Result<Self, EndpointError> {
        let secret = SecretString::from(token.expose_secret().trim());
        if secret.expose_secret().is_empty() {
            return Err(EndpointError::Token);
        }
        let header = SecretString::from(format!("Bearer {}", secret.expose_secret()));
        let mut header = HeaderValue::from_str(header.expose_secret()).map_err(|_| EndpointError::Token)?;
        header.set_sensitive(true);
        Ok(Self { secret, header })
    }
}

impl Transient for Failure {
    fn is_transient(&self) -> bool {
        match self {
            Self::Status(_) => true,
            Self::Send(error) => error.is_transient(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(answer) => retry_after(&answer.headers, SystemTime::now()),
            Self::Send(_) => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(answer) => write!(f, "the answer was {}", answer.status),
            Self::Send(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("base", &self.base)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

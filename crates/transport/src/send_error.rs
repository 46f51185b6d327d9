//! Why no usable answer came: named by what a person can do about it.

use std::error::Error;

use strum::IntoStaticStr;

use crate::BodyError;

/// What went wrong on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SendErrorKind {
    /// No TCP connection, or the name does not resolve.
    Connect,
    /// The certificate is not trusted or not for this name, or the other side does not speak TLS.
    Tls,
    /// Nothing came in time.
    Timeout,
    /// The connection broke while request or answer travelled.
    Broken,
    /// The answer is longer than the bound.
    TooLong,
    /// The gate was closed before the attempt, or while it was under way: then it is not known what became of it.
    Fenced,
}

/// Why no usable answer came.
#[derive(Debug, thiserror::Error)]
#[error("{} ({attempts} {})", what(*kind), if *attempts == 1 { "attempt" } else { "attempts" })]
pub struct SendError {
    /// What went wrong.
    pub kind: SendErrorKind,
    /// How many attempts were made.
    pub attempts: u32,
    source: Option<reqwest::Error>,
}

const fn what(kind: SendErrorKind) -> &'static str {
    match kind {
        SendErrorKind::Connect => "no connection",
        SendErrorKind::Tls => "no trusted TLS connection",
        SendErrorKind::Timeout => "no answer in time",
        SendErrorKind::Broken => "the connection broke",
        SendErrorKind::TooLong => "the answer is too long",
        SendErrorKind::Fenced => "the right to write was lost",
    }
}

impl SendError {
    /// The address is named once, by the caller; reqwest would repeat it, query and all.
    pub(crate) fn new(source: reqwest::Error, attempts: u32) -> Self {
        Self {
            kind: kind_of(&source),
            attempts,
            source: Some(source.without_url()),
        }
    }

    pub(crate) fn body(source: BodyError, attempts: u32) -> Self {
        match source {
            BodyError::Read(source) => Self::new(source, attempts),
            BodyError::TooLong { .. } => Self::bare(SendErrorKind::TooLong, attempts),
        }
    }

    /// `attempts` were made before the gate closed.
    pub(crate) const fn fenced(attempts: u32) -> Self {
        Self::bare(SendErrorKind::Fenced, attempts)
    }

    /// What no library said.
    pub(crate) const fn bare(kind: SendErrorKind, attempts: u32) -> Self {
        Self {
            kind,
            attempts,
            source: None,
        }
    }

    pub(crate) fn is_transient(&self) -> bool {
        !matches!(self.kind, SendErrorKind::TooLong | SendErrorKind::Fenced)
    }

    /// What to look at first.
    pub const fn hint(&self) -> &'static str {
        match self.kind {
            SendErrorKind::Connect => "check the address, the port, DNS and firewalls between here and there",
            SendErrorKind::Tls => "check http/https and the certificate; give its CA with tls.caFile or tls.caSecret",
            SendErrorKind::Timeout => {
                "check that the server is well and reachable; raise the timeout if it is just slow"
            }
            SendErrorKind::Broken => "check the server's log and the proxies in between",
            SendErrorKind::TooLong => "check that the address is the right one: the answer is far longer than expected",
            SendErrorKind::Fenced => "nothing; the process that leads now goes on",
        }
    }
}

fn kind_of(error: &reqwest::Error) -> SendErrorKind {
    if error.is_timeout() {
        SendErrorKind::Timeout
    } else if names_tls(error) {
        SendErrorKind::Tls
    } else if error.is_connect() {
        SendErrorKind::Connect
    } else {
        SendErrorKind::Broken
    }
}

/// The TLS library's error is wrapped in `io::Error`s, which do not give it away as their source.
fn names_tls(error: &reqwest::Error) -> bool {
    let chain = std::iter::successors(error.source(), |error| (*error).source());
    chain.map(ToString::to_string).any(|text| {
        ["certificate", "Certificate", "corrupt message", "received fatal alert"]
            .iter()
            .any(|word| text.contains(word))
    })
}

//! Faults a test can script: what goes wrong, where, and how often.
//!
//! ```no_run
//! # use multinic_lab::{CloudBuilder, Fault, Lab, Service};
//! # let lab = Lab::start(CloudBuilder::seed()).unwrap();
//! lab.faults().at(Service::Neutron).get("/v2.0/ports").nth(2).inject(Fault::status(503).retry_after("1"));
//! lab.faults().at(Service::Keystone).post("/auth/tokens").always().inject(Fault::Reset);
//! ```

mod edit;
mod plan;

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

pub use plan::{FaultPlan, Faults};

use crate::net::{Answer, Outcome, Reply, Request};

/// One way to go wrong.
#[derive(Clone)]
#[non_exhaustive]
pub enum Fault {
    /// Another status, without asking the service.
    Status {
        /// The status code.
        code: u16,
        /// `Retry-After` as it stands.
        retry_after: Option<String>,
        /// The body; a short JSON message by default.
        body: Option<String>,
    },
    /// The right answer, later.
    Delay(Duration),
    /// The right answer, so many bytes at a time with a pause before each.
    Slow {
        /// Bytes per piece.
        piece: usize,
        /// Before each piece.
        pause: Duration,
    },
    /// No answer; the connection stays open until the client goes away.
    Hang,
    /// No answer either, but the service *has* done what was asked.
    AnswerHeld,
    /// RST instead of an answer; the service has not seen the request.
    Reset,
    /// RST instead of an answer; the service *has* done what was asked.
    AnswerLost,
    /// FIN instead of an answer, as a pooled connection that was closed meanwhile.
    Close,
    /// Only the beginning of the body, then FIN.
    Truncate(Cut),
    /// Only the beginning of the body, then RST.
    ResetMidBody(Cut),
    /// 200 with this text instead of the answer.
    Garbage(String),
    /// The request's token has expired: the service's own 401.
    ExpireToken,
    /// A list that lacks its first items and claims to be complete (no next link).
    OmitItems {
        /// How many are missing.
        count: usize,
    },
    /// An empty list that claims to be complete.
    EmptyList,
    /// The answer without that key: on top if it is there, else in every item.
    MissingKey(String),
    /// A list whose next link leads to the same page again.
    LoopingPages,
    /// Whatever this does to the JSON answer.
    Edit(Arc<dyn Fn(&mut Value) + Send + Sync>),
}

/// Where a body ends too early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// After so many bytes.
    After(usize),
    /// In the middle, whatever its length.
    Half,
    /// One byte before its end.
    LastByte,
}

impl Cut {
    fn bytes(self, length: usize) -> usize {
        match self {
            Self::After(bytes) => bytes,
            Self::Half => length / 2,
            Self::LastByte => length.saturating_sub(1),
        }
    }
}

impl Fault {
    /// That status with a short JSON body and no `Retry-After`.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            retry_after: None,
            body: None,
        }
    }

    /// Of a status: with that `Retry-After`.
    #[must_use]
    pub fn retry_after(self, value: &str) -> Self {
        match self {
            Self::Status { code, body, .. } => Self::Status {
                code,
                retry_after: Some(value.to_owned()),
                body,
            },
            other => other,
        }
    }

    /// Of a status: with that body.
    #[must_use]
    pub fn body(self, text: &str) -> Self {
        match self {
            Self::Status { code, retry_after, .. } => Self::Status {
                code,
                retry_after,
                body: Some(text.to_owned()),
            },
            other => other,
        }
    }

    /// Changes the JSON answer.
    pub fn edit(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(change))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code, retry_after, .. } => write!(f, "Status {code} (Retry-After: {retry_after:?})"),
            Self::Delay(time) => write!(f, "Delay {time:?}"),
            Self::Slow { piece, pause } => write!(f, "Slow {piece} bytes every {pause:?}"),
            Self::Hang => f.write_str("Hang"),
            Self::AnswerHeld => f.write_str("AnswerHeld"),
            Self::Reset => f.write_str("Reset"),
            Self::AnswerLost => f.write_str("AnswerLost"),
            Self::Close => f.write_str("Close"),
            Self::Truncate(cut) => write!(f, "Truncate {cut:?}"),
            Self::ResetMidBody(cut) => write!(f, "ResetMidBody {cut:?}"),
            Self::Garbage(_) => f.write_str("Garbage"),
            Self::ExpireToken => f.write_str("ExpireToken"),
            Self::OmitItems { count } => write!(f, "OmitItems {count}"),
            Self::EmptyList => f.write_str("EmptyList"),
            Self::MissingKey(key) => write!(f, "MissingKey {key}"),
            Self::LoopingPages => f.write_str("LoopingPages"),
            Self::Edit(_) => f.write_str("Edit"),
        }
    }
}

/// What becomes of a request under these faults; `serve` is the service itself.
pub(crate) fn answer(faults: &[Fault], request: &Request, serve: impl FnOnce(&Request) -> Reply) -> Answer {
    let delay = faults
        .iter()
        .map(|fault| {
            if let Fault::Delay(time) = fault {
                *time
            } else {
                Duration::ZERO
            }
        })
        .sum();
    let outcome = instead(faults).unwrap_or_else(|| {
        let mut reply = serve(request);
        for fault in faults {
            edit::apply(fault, request, &mut reply);
        }
        wrap(faults, reply)
    });
    Answer { delay, outcome }
}

/// Faults that keep the request from the service.
fn instead(faults: &[Fault]) -> Option<Outcome> {
    faults.iter().find_map(|fault| match fault {
        Fault::Status {
            code,
            retry_after,
            body,
        } => {
            let default = || format!(r#"{{"error": {{"code": {code}, "message": "a scripted fault"}}}}"#);
            let reply = Reply::text(*code, "application/json", body.clone().unwrap_or_else(default));
            Some(Outcome::Reply(match retry_after {
                Some(value) => reply.header("Retry-After", value),
                None => reply,
            }))
        }
        Fault::Garbage(text) => Some(Outcome::Reply(Reply::text(200, "application/json", text.clone()))),
        Fault::Hang => Some(Outcome::Hang),
        Fault::Reset => Some(Outcome::Reset),
        Fault::Close => Some(Outcome::Close),
        _ => None,
    })
}

/// Faults of the way back.
fn wrap(faults: &[Fault], reply: Reply) -> Outcome {
    for fault in faults {
        match *fault {
            Fault::AnswerHeld => return Outcome::Hang,
            Fault::AnswerLost => return Outcome::Reset,
            Fault::Truncate(cut) => return cut_off(reply, cut, false),
            Fault::ResetMidBody(cut) => return cut_off(reply, cut, true),
            Fault::Slow { piece, pause } => return Outcome::Slow { reply, piece, pause },
            _ => {}
        }
    }
    Outcome::Reply(reply)
}

fn cut_off(reply: Reply, cut: Cut, reset: bool) -> Outcome {
    let bytes = cut.bytes(reply.body.len());
    Outcome::Cut { reply, bytes, reset }
}

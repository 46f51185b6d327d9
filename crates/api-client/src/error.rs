//! What can go wrong between a reader and the management API.

use multinic_transport::{EndpointError, SendError};
use strum::IntoStaticStr;

use crate::Problem;

/// Why nothing, or not all, could be read.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ReadError {
    /// The address, the token or the CA is of no use.
    #[error("failed to set up the client of the management API")]
    Settings(#[source] EndpointError),
    /// No answer came.
    #[error("failed to GET {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        source: SendError,
    },
    /// The server refused.
    #[error("failed to GET {url}: the server answered {problem}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Why.
        problem: Problem,
    },
    /// 3xx; redirects are not followed, as a token must not travel to another host.
    #[error("failed to GET {url}: the server answered {status}, a redirect to {}", location.as_deref().unwrap_or("nowhere"))]
    Redirected {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// Where it points to, printable.
        location: Option<String>,
    },
    /// The status is right, the body is not.
    #[error("failed to understand the answer to GET {url}: {reason}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it, printable.
        reason: String,
    },
    /// The pages do not go on as they should.
    #[error("failed to read every page of {url}: {reason}")]
    Pages {
        /// What was asked for.
        url: String,
        /// A cursor that does not move, or is too long.
        reason: &'static str,
    },
}

impl ReadError {
    /// A bounded name of the kind of failure.
    pub fn category(&self) -> &'static str {
        self.into()
    }

    /// The server's refusal, if that is what it is.
    pub const fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { problem, .. } => matches!(problem.status, 408 | 429 | 500 | 502..=599),
            _ => false,
        }
    }
}

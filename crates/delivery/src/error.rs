//! What can go wrong between the operator and the management API.

use std::error::Error;

use multinic_model::NodeName;
use multinic_transport::{EndpointError, SendError, SendErrorKind};
use strum::IntoStaticStr;

/// Why the management API could not be asked, or what was wrong with its answer.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryError {
    /// The settings are of no use.
    #[error("failed to set up the client of the management API")]
    Settings(#[source] EndpointError),
    /// A node config that cannot be written as JSON.
    #[error("failed to write the body of the request")]
    Body(#[source] serde_json::Error),
    /// No answer came.
    #[error("failed to {method} {url}")]
    Unreachable {
        /// GET or POST.
        method: &'static str,
        /// What was asked for.
        url: String,
        /// Why.
        source: SendError,
    },
    /// 401 or 403.
    #[error("failed to {method} {url}: the server answered {status}{}", suffix(detail.as_ref()))]
    Unauthorised {
        /// GET or POST.
        method: &'static str,
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// What the server says, printable.
        detail: Option<String>,
    },
    /// 404 or 405 where the operation is needed.
    #[error("failed to {method} {url}: the server answered {status}{}", suffix(detail.as_ref()))]
    NotOffered {
        /// GET or POST.
        method: &'static str,
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// What the server says, printable.
        detail: Option<String>,
    },
    /// 3xx; redirects are not followed, as a redirected POST would lose its body.
    #[error("failed to {method} {url}: the server answered {status}, a redirect to {}", location.as_deref().unwrap_or("nowhere"))]
    Redirected {
        /// GET or POST.
        method: &'static str,
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// Where it points to, printable.
        location: Option<String>,
    },
    /// The right to write was lost before the request or while it was under way; another process leads.
    #[error("failed to POST {url}: the right to write was lost ({attempts} attempts)")]
    Fenced {
        /// What was asked for.
        url: String,
        /// How many attempts were begun.
        attempts: u32,
    },
    /// 413 for a single node.
    #[error("failed to POST {url}: the server answered 413 to a single node")]
    TooLarge {
        /// What was asked for.
        url: String,
    },
    /// Any other status.
    #[error("failed to {method} {url}: the server answered {status} ({attempts} attempts){}", suffix(detail.as_ref()))]
    Status {
        /// GET or POST.
        method: &'static str,
        /// What was asked for.
        url: String,
        /// The status of the last attempt.
        status: u16,
        /// How many attempts were made.
        attempts: u32,
        /// What the server says, printable.
        detail: Option<String>,
    },
    /// The status is right, the body is not.
    #[error("failed to understand the answer to {method} {url}: {reason}")]
    Answer {
        /// GET or POST.
        method: &'static str,
        /// What was asked for.
        url: String,
        /// What is wrong with it, printable.
        reason: String,
    },
    /// The answer has no result for a node that was sent.
    #[error("failed to learn what became of {node}: the answer of {url} does not name it")]
    NoResult {
        /// The node.
        node: NodeName,
        /// What was asked for.
        url: String,
    },
    /// The answer has a status for a node that the contract does not know.
    #[error("failed to learn what became of {node}: {url} answered the unknown status {status:?}")]
    UnknownResult {
        /// The node.
        node: NodeName,
        /// What was asked for.
        url: String,
        /// The status, printable.
        status: String,
    },
    /// A stored node config is not one of ours and cannot be taken for absent.
    #[error("failed to read back the node {node}: {reason}")]
    Item {
        /// Its name as the server gives it, printable.
        node: String,
        /// What is wrong with it, printable.
        reason: String,
    },
    /// A node is listed twice: the pages moved while they were read, so something may be missing as well.
    #[error("failed to read back every page of {url}: {node} is listed twice")]
    ListedTwice {
        /// The node.
        node: NodeName,
        /// What was asked for.
        url: String,
    },
    /// The pages do not end.
    #[error("failed to read back every page of {url}: {reason}")]
    Pages {
        /// What was asked for.
        url: String,
        /// A cursor came twice, or there are too many pages.
        reason: &'static str,
    },
}

fn suffix(detail: Option<&String>) -> String {
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}

impl DeliveryError {
    /// A bounded name of the kind of failure, for metrics and conditions.
    pub fn category(&self) -> &'static str {
        self.into()
    }

    /// The error and its reasons on one line, without the libraries' own words.
    pub fn line(&self) -> String {
        let chain = std::iter::successors(Some(self as &dyn Error), |error| (*error).source());
        let ours = chain.take_while(|error| !error.is::<reqwest::Error>());
        ours.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// What to do about it, as one line.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Settings(_) => "correct the settings below `managementApi`",
            Self::Body(_) => "report this: a node config should always be JSON",
            Self::Unreachable { source, .. } => source.hint(),
            Self::Unauthorised { .. } => {
                "check managementApi.token: it is missing, wrong, expired or not allowed for this cluster"
            }
            Self::NotOffered { .. } => "check managementApi.endpoint: the node configs are not served below it",
            Self::Redirected { .. } => "set managementApi.endpoint to the address that it redirects to",
            Self::Fenced { .. } => "nothing; the process that leads now delivers it",
            Self::TooLarge { .. } => "raise the limit for bodies of the management API or of the proxy in front of it",
            Self::Status { status: 500.., .. } => "see the log of the management API",
            Self::Status { .. } => "see what the server says; the request was not repeated",
            Self::Answer { .. } | Self::NoResult { .. } | Self::UnknownResult { .. } | Self::Pages { .. } => {
                "check managementApi.endpoint: the server does not keep to the contract"
            }
            Self::Item { .. } => "correct or delete this node config in the management API",
            Self::ListedTwice { .. } => {
                "it heals at the next pass; if not, the server's pages are not in a stable order"
            }
        }
    }

    /// Whether every other request would fail alike, so that there is no point in sending it.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Unauthorised { .. } | Self::NotOffered { .. } | Self::Redirected { .. } | Self::Fenced { .. }
        )
    }

    /// Whether the server or the way to it seems to be down.
    pub(crate) const fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => !matches!(source.kind, SendErrorKind::TooLong),
            Self::Status { status, .. } => matches!(*status, 408 | 429 | 500..),
            _ => false,
        }
    }
}

//! What can go wrong between the operator and Contrabass.

use multinic_transport::{EndpointError, SendError};
use strum::IntoStaticStr;

use crate::provider::AnswerError;

/// Why Contrabass could not be asked or did not say what was needed.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ContrabassError {
    /// The settings are of no use.
    #[error("failed to set up the client of Contrabass")]
    Settings(#[source] EndpointError),
    /// No answer came.
    #[error("failed to get {url} from Contrabass")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        source: SendError,
    },
    /// 401 or 403.
    #[error("failed to get {url} from Contrabass: it answered {status}{}", detail_text(detail.as_ref()))]
    Unauthorised {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// What the server says, printable.
        detail: Option<String>,
    },
    /// 404.
    #[error("failed to get {url} from Contrabass: it answered 404{}", detail_text(detail.as_ref()))]
    NotFound {
        /// What was asked for.
        url: String,
        /// What the server says, printable.
        detail: Option<String>,
    },
    /// 3xx; redirects are not followed, as the token must not travel to another host.
    #[error("failed to get {url} from Contrabass: it answered {status}, a redirect to {}", location.as_deref().unwrap_or("nowhere"))]
    Redirected {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// Where it points to, printable.
        location: Option<String>,
    },
    /// Any other status but 200.
    #[error("failed to get {url} from Contrabass: it answered {status} ({attempts} attempts){}", detail_text(detail.as_ref()))]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// How many attempts were made.
        attempts: u32,
        /// What the server says, printable.
        detail: Option<String>,
    },
    /// 200, but no provider.
    #[error("failed to understand what Contrabass answered at {url}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        source: AnswerError,
    },
}

fn detail_text(detail: Option<&String>) -> String {
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}

impl ContrabassError {
    /// A bounded name of the kind of failure, for metrics and conditions.
    pub fn category(&self) -> &'static str {
        self.into()
    }

    /// What to do about it, as one line.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Settings(_) => "correct the settings below `contrabass`",
            Self::Unreachable { source, .. } => source.hint(),
            Self::Unauthorised { .. } => {
                "check contrabass.token: it is missing, wrong, expired or not allowed to read providers"
            }
            Self::NotFound { .. } => {
                "check that Contrabass knows this openstackProviderID, and that contrabass.endpoint and contrabass.providerPath \
                 are those of your version (another one answers at /v1/contrabass/admin/infra/provider/{id})"
            }
            Self::Redirected { .. } => "set contrabass.endpoint to the address that it redirects to",
            Self::Status { .. } => "see the log of Contrabass",
            Self::Answer { source, .. } => match source {
                AnswerError::NotJson => "check contrabass.endpoint: something else answers there",
                AnswerError::ReturnCode { .. } => "check that Contrabass knows this openstackProviderID",
                AnswerError::Missing { .. } | AnswerError::KeystoneUrl { .. } => {
                    "correct the provider's entry in Contrabass"
                }
            },
        }
    }
}

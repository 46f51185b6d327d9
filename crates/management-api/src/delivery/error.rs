//! What can go wrong with a delivery, and whether it is the node's or the cluster's trouble.

use std::time::Duration;

use multinic_model::ClusterId;
use strum::IntoStaticStr;

/// Why something was not delivered.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum DeliveryError {
    #[error("failed to use the kubeconfig {name}: {reason}")]
    Kubeconfig { name: String, reason: String },
    #[error("failed to build a client of the cluster: {reason}")]
    Client { reason: String },
    #[error("failed to reach the cluster: {reason}")]
    Unreachable { reason: String },
    #[error("failed to get an answer of the cluster within {0:?}")]
    TimedOut(Duration),
    #[error("failed to log in to the cluster: {message}")]
    Unauthorized { message: String },
    #[error("failed to get permission in the cluster: {message}")]
    Forbidden { message: String },
    #[error("failed to deliver now, the cluster is busy ({status}): {message}")]
    Busy {
        status: u16,
        message: String,
        after: Option<Duration>,
    },
    #[error("failed to find what belongs into the cluster: {message}")]
    NotInstalled { message: String },
    #[error("failed to use the cluster's CustomResourceDefinition: {reason}")]
    Crd { reason: &'static str },
    #[error("failed to deliver: the cluster failed ({status}): {message}")]
    Failed { status: u16, message: String },
    #[error("failed to deliver: the cluster refuses the object ({status}): {message}")]
    Refused { status: u16, message: String },
    #[error("failed to deliver: somebody else changed the object at the same time")]
    Conflict,
    #[error("failed to deliver: the object of this name belongs to {owner}")]
    Foreign { owner: String },
    #[error("failed to read the cluster's answer: {reason}")]
    Unreadable { reason: String },
    #[error("failed to deliver: another replica may deliver into this cluster by now")]
    Fenced,
    #[error("failed to deliver: the database cannot say whether it is still wanted ({category})")]
    Store { category: &'static str },
}

/// Whose trouble it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// One node's; the others go on.
    Node,
    /// The cluster's as a whole; it is left alone for a while.
    Cluster,
}

impl DeliveryError {
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Failed { .. } | Self::Refused { .. } | Self::Conflict | Self::Foreign { .. } => Scope::Node,
            _ => Scope::Cluster,
        }
    }

    /// A bounded name for metrics.
    pub fn category(&self) -> &'static str {
        self.into()
    }

    /// What the other side asks to wait.
    pub const fn asked(&self) -> Option<Duration> {
        match self {
            Self::Busy { after, .. } => *after,
            _ => None,
        }
    }

    /// Nobody has an object of another cluster replaced silently.
    pub fn foreign(owner: Option<&str>, cluster: &ClusterId) -> Self {
        Self::Foreign {
            owner: owner.map_or_else(
                || format!("nobody that is known, and to another server than the node's of {cluster}"),
                |owner| format!("the provider {owner}"),
            ),
        }
    }
}

impl From<kube::Error> for DeliveryError {
    fn from(error: kube::Error) -> Self {
        let status = match error {
            kube::Error::Api(status) => status,
            kube::Error::SerdeError(error) => {
                return Self::Unreadable {
                    reason: error.to_string(),
                };
            }
            error => {
                return Self::Unreachable {
                    reason: innermost(&error),
                };
            }
        };
        let (code, message) = (status.code, status.message.chars().take(400).collect());
        match code {
            401 => Self::Unauthorized { message },
            403 => Self::Forbidden { message },
            404 => Self::NotInstalled { message },
            409 => Self::Conflict,
            429 | 503 | 504 => Self::Busy {
                status: code,
                message,
                after: status
                    .details
                    .map(|details| Duration::from_secs(details.retry_after_seconds.into())),
            },
            500.. => Self::Failed { status: code, message },
            _ => Self::Refused { status: code, message },
        }
    }
}

/// The last cause says what happened; those before it only that it did.
fn innermost(error: &kube::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn of(code: u16) -> DeliveryError {
        kube::Error::Api(Status::failure("no", "").with_code(code).boxed()).into()
    }

    #[test]
    fn what_concerns_one_object_is_told_apart_from_what_concerns_all() {
        for code in [400, 409, 413, 422, 500] {
            assert_eq!(of(code).scope(), Scope::Node, "{code}");
        }
        for code in [401, 403, 404, 429, 503, 504] {
            assert_eq!(of(code).scope(), Scope::Cluster, "{code}");
        }
        let gone = kube::Error::Service("connection refused".into());
        assert_eq!(DeliveryError::from(gone).category(), "unreachable");
    }
}

//! What can go wrong with the server itself.

use std::net::SocketAddr;

/// A failure of the small Kubernetes API, not of a request to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The port cannot be listened on.
    #[error("failed to listen on {address}")]
    Listen {
        /// Where it tried to.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No certificate can be made.
    #[error("failed to make a certificate: {detail}")]
    Certificate {
        /// What the library said.
        detail: String,
    },
    /// A text is no YAML.
    #[error("failed to read YAML: {detail}")]
    Yaml {
        /// What the parser said.
        detail: String,
    },
    /// An object was refused, or its kind is not known.
    #[error("failed to apply {what}: {detail}")]
    Refused {
        /// Its kind and name.
        what: String,
        /// What the server said.
        detail: String,
    },
    /// No resource has this name.
    #[error(
        "failed to find a resource {resource:?}; expected a plural name and a group, such as leases.coordination.k8s.io"
    )]
    NoSuchResource {
        /// What was asked for.
        resource: String,
    },
    /// What was waited for did not happen.
    #[error("failed to see {what} as expected in time; it was last {last}")]
    NeverHappened {
        /// The object.
        what: String,
        /// What it was at the end; `null` when it did not exist.
        last: String,
    },
}

//! What a user of the lab can get wrong.

use std::io;

/// Why the lab could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No socket, no thread.
    #[error("failed to start the lab")]
    Start(#[from] io::Error),
    /// A builder's sentence does not make sense.
    #[error("failed to build the cloud: {0}")]
    Build(String),
    /// Nothing has that id or name.
    #[error("failed to find the {kind} {name:?} in the lab")]
    Unknown {
        /// `VM`, `port`, `subnet`, …
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Several things have that name; use the id.
    #[error("failed to choose a {kind}: {name:?} names several; use an id")]
    Ambiguous {
        /// `VM`, `port`, `subnet`, …
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// A subnet has no address left.
    #[error("failed to find a free address in the subnet {0:?}")]
    SubnetFull(String),
    /// The broker refuses, or is not there.
    #[error("failed to publish to the broker")]
    Broker(#[from] lapin::Error),
}

//! What somebody is allowed for.

use std::collections::BTreeSet;

use multinic_model::{ClusterId, NodeName};
use serde::Deserialize;

/// What a credential is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Writes node configs and settings of clusters, reads everything.
    Operator,
    /// Reads one node at a time and reports its status.
    Agent,
    /// Reads everything.
    Viewer,
}

/// Of a set of things: all, or these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach<T> {
    /// All of them.
    All,
    /// These.
    Only(BTreeSet<T>),
}

impl<T: Ord> Reach<T> {
    /// Whether it is one of them.
    pub fn includes(&self, thing: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(set) => set.contains(thing),
        }
    }
}

/// Who asks, and what it may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Its name; it becomes part of the history.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// In which clusters.
    pub providers: Reach<ClusterId>,
    /// For which nodes (agents).
    pub nodes: Reach<NodeName>,
}

impl Caller {
    /// Who asks a server that knows no tokens; such a server listens on loopback only.
    pub(super) fn anybody() -> Self {
        Self {
            name: "anonymous".to_owned(),
            role: Role::Operator,
            providers: Reach::All,
            nodes: Reach::All,
        }
    }
}

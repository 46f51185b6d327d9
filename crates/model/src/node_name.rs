//! Kubernetes node names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a Kubernetes node: an RFC 1123 DNS subdomain of at most 253 characters, which is what the API server
/// accepts as the name of a Node and of a MultiNicNodeConfig (both carry it).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// A text that cannot name a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to accept {found:?} as a node name: expected at most 253 characters of a-z, 0-9, '-' and '.', each part \
     beginning and ending with a letter or digit"
)]
pub struct NodeNameError {
    /// What was found, cut to a printable length.
    pub found: String,
}

impl NodeName {
    /// The greatest length, in characters.
    pub const MAX_LEN: usize = 253;

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One dot-separated part of a DNS subdomain.
fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
}

impl TryFrom<String> for NodeName {
    type Error = NodeNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > Self::MAX_LEN || !text.split('.').all(is_label) {
            return Err(NodeNameError {
                found: text.chars().take(80).collect(),
            });
        }
        Ok(Self(text))
    }
}

impl FromStr for NodeName {
    type Err = NodeNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_subdomains_and_nothing_else() {
        for good in ["a", "worker-1", "worker-1.example.com", "0", &"a".repeat(253)] {
            assert!(good.parse::<NodeName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a..b",
            ".a",
            "A",
            "a_b",
            "a b",
            "노드",
            &"a".repeat(254),
        ] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
    }
}

//! Identifiers: each kind its own type, so that a subnet's id can never be passed for a port's.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// OpenStack ids are UUIDs.
    #[error("failed to read {found:?} as a {kind}: expected a UUID such as a919ea1c-9a09-4a9f-9021-ec68c1de2159")]
    NotUuid {
        /// Which identifier was expected.
        kind: &'static str,
        /// What was found, cut to a printable length.
        found: String,
    },
    /// Ids that become a header value or a path segment.
    #[error("failed to accept {found:?} as a {kind}: expected 1 to {max} visible ASCII characters without '/'")]
    NotOpaque {
        /// Which identifier was expected.
        kind: &'static str,
        /// What was found, cut to a printable length.
        found: String,
        /// The greatest length accepted.
        max: usize,
    },
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be one of these.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotUuid { kind: $kind, found: shorten(text) })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

uuid_id!(
    /// A Neutron port's id.
    PortId, "port id"
);
uuid_id!(
    /// A Neutron network's id.
    NetworkId, "network id"
);

/// A Keystone project's id: 32 hex digits, or a UUID with hyphens. Both spellings of one project are equal; it prints
/// as 32 lower-case hex digits, the form in which Keystone, Nova and Neutron give it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectId(Uuid);

impl ProjectId {
    /// Wraps a UUID that is known to be a project's.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl FromStr for ProjectId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uuid = match text.len() {
            32 | 36 => Uuid::try_parse(text).ok(),
            _ => None,
        };
        uuid.map(Self).ok_or_else(|| IdError::NotUuid {
            kind: "project id",
            found: shorten(text),
        })
    }
}

impl TryFrom<String> for ProjectId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ProjectId> for String {
    fn from(id: ProjectId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_simple(), f)
    }
}

impl fmt::Debug for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The greatest length accepted, in bytes.
            pub const MAX_LEN: usize = 128;

            /// The id as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let visible = text.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
                // "." and ".." would change the path they are put into.
                if text.is_empty() || text.len() > Self::MAX_LEN || !visible || text == "." || text == ".." {
                    return Err(IdError::NotOpaque { kind: $kind, found: shorten(&text), max: Self::MAX_LEN });
                }
                Ok(Self(lower_case_if_uuid(text)))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// OpenStack prints UUIDs in lower case; a user who pastes one in upper case means the same object.
fn lower_case_if_uuid(text: String) -> String {
    let is_uuid = text.len() == 36 && Uuid::try_parse(&text).is_ok();
    if is_uuid { text.to_ascii_lowercase() } else { text }
}

opaque_id!(
    /// A Nova server's id: a UUID from Nova, but the contract's own example is `i-0123456789abcdef0`.
    InstanceId, "server id"
);
opaque_id!(
    /// A Neutron subnet's id: a UUID from Neutron, but the seed's example is `subnet-uuid`.
    SubnetId, "subnet id"
);
opaque_id!(
    /// One OpenStack installation as Contrabass knows it (`openstackProviderID`).
    ProviderId, "provider id"
);
opaque_id!(
    /// One workload Kubernetes cluster (`k8sProviderID`), the value of the header `x-provider-id`.
    ClusterId, "cluster id"
);

impl From<ProviderId> for ClusterId {
    /// Without a `k8sProviderID` the provider's id names the cluster (design 3.1).
    fn from(provider: ProviderId) -> Self {
        Self(provider.0)
    }
}

/// The id of an interface within its node, from 1. It numbers the NIC's name in the guest (`multinic<id>`), so it never
/// changes while the node config holds the port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InterfaceId(NonZeroU32);

impl InterfaceId {
    /// The first id of every node.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0.
    pub const fn new(id: u32) -> Option<Self> {
        match NonZeroU32::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The number itself, at least 1.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The id after this one; the last representable id is its own successor.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_project_are_one() {
        let plain: ProjectId = "df64928216f740d3a6b84a66fa30b649".parse().unwrap();
        let hyphens: ProjectId = "DF649282-16f7-40d3-a6b8-4a66fa30b649".parse().unwrap();
        assert_eq!(plain, hyphens);
        assert_eq!(plain.to_string(), "df64928216f740d3a6b84a66fa30b649");
    }

    #[test]
    fn braces_and_urns_are_no_project() {
        for text in [
            "",
            "biz",
            "{df649282-16f7-40d3-a6b8-4a66fa30b649}",
            "urn:uuid:df649282-16f7-40d3-a6b8-4a66fa30b649",
        ] {
            assert!(text.parse::<ProjectId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_opaque_id_is_safe_in_a_header_and_a_path() {
        for text in ["", "a b", "a/b", "..", "a\nb", "ü", &"x".repeat(129)] {
            assert!(text.parse::<ProviderId>().is_err(), "{text:?}");
        }
        assert_eq!("f5861c22-b252".parse::<ClusterId>().unwrap().as_str(), "f5861c22-b252");
    }

    #[test]
    fn a_uuid_in_upper_case_is_the_same_server() {
        let upper: InstanceId = "C0F9564B-A85C-4974-BBBA-8EA9FBC740B7".parse().unwrap();
        assert_eq!(upper.as_str(), "c0f9564b-a85c-4974-bbba-8ea9fbc740b7");
        assert_eq!("i-0123ABC".parse::<InstanceId>().unwrap().as_str(), "i-0123ABC");
    }

    #[test]
    fn interface_ids_start_at_one() {
        assert_eq!(InterfaceId::new(0), None);
        assert_eq!(InterfaceId::FIRST.next().get(), 2);
        assert!(serde_json::from_str::<InterfaceId>("0").is_err());
    }
}

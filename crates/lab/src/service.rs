//! Whom a request was for.

use std::fmt;

/// One of the servers of a lab.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    /// Contrabass.
    Contrabass,
    /// Keystone v3.
    Keystone,
    /// Nova 2.1.
    Nova,
    /// Neutron 2.0.
    Neutron,
    /// The receiver of node configs ([`Receiver`](crate::Receiver)).
    ManagementApi,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contrabass => "contrabass",
            Self::Keystone => "keystone",
            Self::Nova => "nova",
            Self::Neutron => "neutron",
            Self::ManagementApi => "management-api",
        })
    }
}

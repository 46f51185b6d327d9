//! A checked OpenstackConfig: what one custom resource selects, with every id parsed.

use std::{collections::BTreeSet, fmt};

use crate::{ClusterId, InstanceId, ProjectId, ProviderId, SubnetId};

/// Which OpenstackConfig: namespace and name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigKey {
    /// The namespace of the custom resource.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a config names its subnet. An id wins over a name when both are given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubnetSelector {
    /// `spec.subnetID`.
    Id(SubnetId),
    /// `spec.subnetName`: must name exactly one subnet of the project, networks shared into it included.
    Name(String),
}

impl fmt::Display for SubnetSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => fmt::Display::fmt(id, f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One entry of `spec.vmNames`: a server UUID or an exact server name in the project.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VmSelector(String);

impl VmSelector {
    /// The greatest length of a server name in Nova, in characters.
    pub const MAX_CHARS: usize = 255;

    /// `None` if the text is empty or longer than a server name can be.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.chars().count() <= Self::MAX_CHARS).then(|| Self(text.to_owned()))
    }

    /// As the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The server's id if the entry is a UUID. It may still be the *name* of a server: the id is looked for first.
    pub fn instance_id(&self) -> Option<InstanceId> {
        (self.0.len() == 36 && uuid::Uuid::try_parse(&self.0).is_ok())
            .then(|| self.0.parse().ok())
            .flatten()
    }
}

impl fmt::Display for VmSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VmSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What one OpenstackConfig asks for, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Where it comes from.
    pub key: ConfigKey,
    /// The workload cluster it belongs to.
    pub cluster: ClusterId,
    /// The OpenStack installation.
    pub provider: ProviderId,
    /// The project in it.
    pub project: ProjectId,
    /// The target subnet.
    pub subnet: SubnetSelector,
    /// At least one, at most [`Selection::MAX_VMS`].
    pub vms: BTreeSet<VmSelector>,
}

impl Selection {
    /// The greatest number of `vmNames` (contract 3.1).
    pub const MAX_VMS: usize = 500;
}

//! What of a reading is new, and which removals were announced before it was made.
//!
//! A reading may look at a few servers only and take everything else from the one before. Counting what is missing there
//! a second time would make one reading out of two (rule 1), so the plan is told what was really looked at.

use std::collections::BTreeSet;

use multinic_model::{InstanceId, MacAddress};

/// What a reading says that the reading of the last plan did not say yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct News {
    /// What was looked at since then.
    pub seen: Seen,
    /// What was announced before it was looked at.
    pub announced: Announced,
}

/// What was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Seen {
    /// Everything.
    #[default]
    Everything,
    /// Some of it, completely.
    Part {
        /// Whether these servers are there, and what they are called.
        servers: BTreeSet<InstanceId>,
        /// The ports of these servers.
        ports: BTreeSet<InstanceId>,
    },
}

/// What OpenStack itself has announced: direct evidence for a removal (rule 1), once a reading that began later agrees. It
/// never removes what the reading still shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Announced {
    /// Servers that were deleted.
    pub deleted: BTreeSet<InstanceId>,
    /// Servers out of which a port was taken; nobody says which one.
    pub detached: BTreeSet<InstanceId>,
    /// Ports that were deleted or taken out, by the server that they were in.
    pub ports: BTreeSet<(InstanceId, MacAddress)>,
}

impl News {
    /// Takes in what a further reading says.
    pub fn extend(&mut self, other: &Self) {
        self.seen.extend(&other.seen);
        self.announced.extend(&other.announced);
    }

    /// That nothing was looked at.
    pub fn none() -> Self {
        Self {
            seen: Seen::Part {
                servers: BTreeSet::new(),
                ports: BTreeSet::new(),
            },
            announced: Announced::default(),
        }
    }
}

impl Seen {
    fn extend(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Everything, _) => {}
            (_, Self::Everything) => *self = Self::Everything,
            (
                Self::Part { servers, ports },
                Self::Part {
                    servers: more_servers,
                    ports: more_ports,
                },
            ) => {
                servers.extend(more_servers.iter().cloned());
                ports.extend(more_ports.iter().cloned());
            }
        }
    }

    /// Whether it was looked at the server itself.
    pub(crate) fn server(&self, instance: &InstanceId) -> bool {
        match self {
            Self::Everything => true,
            Self::Part { servers, .. } => servers.contains(instance),
        }
    }

    /// Whether it was looked at the server's ports.
    pub(crate) fn ports(&self, instance: &InstanceId) -> bool {
        match self {
            Self::Everything => true,
            Self::Part { ports, .. } => ports.contains(instance),
        }
    }
}

impl Announced {
    /// Takes in more.
    pub fn extend(&mut self, other: &Self) {
        self.deleted.extend(other.deleted.iter().cloned());
        self.detached.extend(other.detached.iter().cloned());
        self.ports.extend(other.ports.iter().cloned());
    }

    /// The ports of one server.
    pub(crate) fn ports_of(&self, instance: &InstanceId) -> impl Iterator<Item = MacAddress> {
        let ports = self.ports.iter().filter(move |(of, _)| of == instance);
        ports.map(|(_, mac)| *mac)
    }
}

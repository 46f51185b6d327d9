//! The hints: what may have changed, and what is said to be gone.
//!
//! Hints of one thing are merged, in any order, without losing what any of them asks to be read.

use std::{collections::BTreeSet, net::IpAddr};

use multinic_model::{InstanceId, MacAddress, NetworkId, PortId, ProjectId, SubnetId};

/// One thing that may have changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// A server.
    Server(ServerHint),
    /// A port.
    Port(PortHint),
    /// A subnet.
    Subnet(SubnetHint),
    /// A network.
    Network(NetworkHint),
}

/// A server, by what Nova says of it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "four questions that are answered and merged one by one"
)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerHint {
    /// Which one.
    pub instance: InstanceId,
    /// Its project.
    pub project: Option<ProjectId>,
    /// Its name now.
    pub name: Option<String>,
    /// It was made, renamed, given other metadata, deleted: it has to be looked at itself.
    pub server: bool,
    /// A port was plugged in or taken out: its ports have to be looked at.
    pub ports: bool,
    /// It was deleted. Evidence of removal.
    pub gone: bool,
    /// A port of it, nobody says which, was taken out. Evidence of removal, as long as it is new.
    pub detached: bool,
}

/// A port, by what Neutron says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortHint {
    /// Which one.
    pub port: PortId,
    /// Its MAC address.
    pub mac: Option<MacAddress>,
    /// The servers that it was said to be plugged into, `device` included.
    pub devices: BTreeSet<InstanceId>,
    /// The server that it is plugged into now, if it is one's.
    pub device: Option<InstanceId>,
    /// Its addresses now; `None` if nobody says.
    pub addresses: Option<BTreeSet<IpAddr>>,
    /// It was deleted. Evidence of removal; so is a `device` that is another than before, unless it is only about to be
    /// ([`PortHint::is_ahead`]).
    pub gone: bool,
}

/// A subnet, by what Neutron says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubnetHint {
    /// Which one.
    pub subnet: SubnetId,
    /// Its name now.
    pub name: Option<String>,
    /// Its network.
    pub network: Option<NetworkId>,
}

/// A network, by what Neutron says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkHint {
    /// Which one.
    pub network: NetworkId,
}

/// What a hint is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    /// A server.
    Server(InstanceId),
    /// A port.
    Port(PortId),
    /// A subnet.
    Subnet(SubnetId),
    /// A network.
    Network(NetworkId),
}

impl Hint {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Server(hint) => Subject::Server(hint.instance.clone()),
            Self::Port(hint) => Subject::Port(hint.port),
            Self::Subnet(hint) => Subject::Subnet(hint.subnet.clone()),
            Self::Network(hint) => Subject::Network(hint.network),
        }
    }

    /// Whether it only says what is about to be done, so that the API may not show it for a while.
    pub fn is_ahead(&self) -> bool {
        matches!(self, Self::Port(hint) if hint.is_ahead())
    }

    /// Takes in a later hint about the same subject; one about another is ignored.
    pub fn merge(&mut self, later: Self) {
        match (self, later) {
            (Self::Server(hint), Self::Server(later)) if hint.instance == later.instance => hint.merge(later),
            (Self::Port(hint), Self::Port(later)) if hint.port == later.port => hint.merge(later),
            (Self::Subnet(hint), Self::Subnet(later)) if hint.subnet == later.subnet => hint.merge(later),
            _ => {}
        }
    }
}

impl ServerHint {
    fn merge(&mut self, later: Self) {
        self.project = later.project.or(self.project);
        self.name = later.name.or_else(|| self.name.take());
        self.server |= later.server;
        self.ports |= later.ports;
        self.gone |= later.gone;
        self.detached |= later.detached;
    }
}

/// So many servers of one port are remembered between two readings; a port is in one.
const DEVICES: usize = 8;

impl PortHint {
    /// Whether it is only about to be plugged in: before it is done, Neutron says no addresses.
    pub const fn is_ahead(&self) -> bool {
        self.device.is_some() && self.addresses.is_none() && !self.gone
    }

    fn merge(&mut self, later: Self) {
        self.mac = later.mac.or(self.mac);
        self.devices.extend(later.devices);
        self.device = later.device;
        while self.devices.len() > DEVICES {
            let other = self.devices.iter().find(|&device| Some(device) != self.device.as_ref());
            let Some(other) = other.cloned() else { break };
            self.devices.remove(&other);
        }
        self.addresses = later.addresses.or_else(|| self.addresses.take());
        // A port id never comes back.
        self.gone |= later.gone;
    }
}

impl SubnetHint {
    fn merge(&mut self, later: Self) {
        self.name = later.name.or_else(|| self.name.take());
        self.network = later.network.or(self.network);
    }
}

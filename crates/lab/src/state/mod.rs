//! What the simulated installation consists of. One value behind one lock; every service reads the same.

mod identity;
mod network;
mod ports;
mod servers;
mod settings;

use std::collections::BTreeMap;

pub(crate) use identity::{Identity, Project, Scope, Token, TokenState, User};
pub(crate) use network::{Network, Subnet};
pub(crate) use ports::{FixedIp, Port, Ports};
pub(crate) use servers::{Server, Servers};
pub(crate) use settings::{CatalogOverride, Provider, Settings};

use crate::ids::Id;

/// Everything.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What Contrabass knows, by provider id.
    pub providers: BTreeMap<String, Provider>,
    /// Projects, users, tokens.
    pub identity: Identity,
    /// By id.
    pub networks: BTreeMap<Id, Network>,
    /// By id.
    pub subnets: BTreeMap<Id, Subnet>,
    /// By id, device, network and subnet.
    pub ports: Ports,
    /// By age, id and name.
    pub servers: Servers,
    /// Switches.
    pub settings: Settings,
    /// Counts objects, so that ids are the same in every run.
    pub made: u64,
    /// The lab's own time in Unix seconds: one second further with every object made or changed.
    pub clock: i64,
}

impl State {
    /// The number and the birthday of the next object.
    pub fn next(&mut self) -> (u64, i64) {
        self.made += 1;
        (self.made, self.tick())
    }

    /// The time of a change.
    pub fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }
}

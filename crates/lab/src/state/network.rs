//! Networks and subnets.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use crate::ids::Id;

/// A Neutron network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// A UUID, unless the builder was told otherwise.
    pub id: Id,
    /// Not unique.
    pub name: String,
    /// Its owner.
    pub project: Id,
    /// Bytes.
    pub mtu: i64,
    /// Shared with everybody.
    pub shared: bool,
    /// Shared with these projects only (RBAC).
    pub shared_with: BTreeSet<Id>,
    /// `router:external`.
    pub external: bool,
    /// `admin_state_up`.
    pub admin_state_up: bool,
    /// Its subnets' ids.
    pub subnets: BTreeSet<Id>,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// Raised by every change.
    pub revision: u64,
    /// `provider:segmentation_id`.
    pub segment: u64,
}

/// A Neutron subnet.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    /// A UUID, unless the builder was told otherwise.
    pub id: Id,
    /// Not unique.
    pub name: String,
    /// Its owner; in life mostly the network's.
    pub project: Id,
    /// Its network.
    pub network: Id,
    /// Its CIDR.
    pub cidr: IpNet,
    /// `null` without one.
    pub gateway: Option<IpAddr>,
    /// `enable_dhcp`.
    pub dhcp: bool,
    /// IPv6 by SLAAC: every port of the network gets an address from its MAC.
    pub slaac: bool,
    /// `dns_nameservers`.
    pub dns: Vec<IpAddr>,
    /// `host_routes`: destination and next hop.
    pub host_routes: Vec<(IpNet, IpAddr)>,
    /// How many addresses were handed out.
    pub used: u64,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// Raised by every change.
    pub revision: u64,
}

impl Network {
    /// Whether a token of that project may use a network it does not own.
    pub fn shared_to(&self, project: Option<&str>) -> bool {
        self.shared || project.is_some_and(|project| self.shared_with.contains(project))
    }

    /// Whether a token of that project sees it at all.
    pub fn visible_to(&self, project: Option<&str>, admin: bool) -> bool {
        admin || self.external || project == Some(&*self.project) || self.shared_to(project)
    }
}

impl Subnet {
    /// The next free address, counted up from the tenth; `None` when the subnet is full.
    pub fn next_address(&mut self) -> Option<IpAddr> {
        const FIRST: u64 = 10;
        self.used += 1;
        let address = self.nth(FIRST + self.used - 1);
        address.filter(|address| *address != self.cidr.broadcast() && self.cidr.contains(address))
    }

    /// The address a host takes by itself from its MAC (modified EUI-64).
    pub fn slaac_address(&self, mac: &str) -> Option<IpAddr> {
        let bytes: Vec<u8> = mac
            .split(':')
            .filter_map(|part| u8::from_str_radix(part, 16).ok())
            .collect();
        let [first, rest @ ..] = <[u8; 6]>::try_from(bytes).ok()?;
        let [second, third, fourth, fifth, sixth] = rest;
        let host = u64::from_be_bytes([first ^ 2, second, third, 0xff, 0xfe, fourth, fifth, sixth]);
        match self.cidr.network() {
            IpAddr::V6(network) => Some(IpAddr::V6((network.to_bits() | u128::from(host)).into())),
            IpAddr::V4(_) => None,
        }
    }

    /// The network's address plus `n`.
    pub fn nth(&self, n: u64) -> Option<IpAddr> {
        match self.cidr.network() {
            IpAddr::V4(network) => network
                .to_bits()
                .checked_add(u32::try_from(n).ok()?)
                .map(|bits| IpAddr::V4(bits.into())),
            IpAddr::V6(network) => network
                .to_bits()
                .checked_add(u128::from(n))
                .map(|bits| IpAddr::V6(bits.into())),
        }
    }
}

//! What OpenStack said in one complete, checked reading of a project.
//!
//! A value of [`Inventory`] exists only when every request of the reading succeeded and every page was read (rule 1):
//! absence from it is evidence of absence. What could not be understood is listed in `unreadable`, never left out.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use strum::{Display, EnumString, IntoStaticStr};

use crate::{InstanceId, MacAddress, Mtu, NetworkId, PortId, ProjectId, SubnetId, SubnetSelector};

/// One project's servers, subnets and ports, as far as the reading was asked for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inventory {
    /// Whose they are.
    pub project: ProjectId,
    /// Every server of the project that one of the asked-for [`VmSelector`](crate::VmSelector)s may mean, by id.
    /// A superset is fine: the planner matches selectors itself.
    pub servers: BTreeMap<InstanceId, Server>,
    /// The answer to each asked-for subnet.
    pub subnets: BTreeMap<SubnetSelector, SubnetLookup>,
    /// The ports that lie on one of the found subnets and belong to one of `servers` (`device_id`), by id.
    pub ports: BTreeMap<PortId, Port>,
    /// Ports of the same scope that could not be understood: they exist, so they are never taken for absent.
    pub unreadable: Vec<UnreadablePort>,
}

/// A Nova server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Its name; may be empty.
    pub name: String,
    /// The value of the configured metadata key; `None` if no key is configured or the server has none or an empty one.
    pub metadata_node_name: Option<String>,
}

/// What became of a config's subnet selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubnetLookup {
    /// Exactly one.
    Found(Subnet),
    /// None in the project, shared networks included.
    NotFound,
    /// Several; the user must choose by id.
    Ambiguous(Vec<SubnetCandidate>),
    /// It is there, but an interface cannot be built from it (say, its network's MTU is not usable).
    Unusable {
        /// One sentence that says what is wrong.
        problem: String,
    },
}

/// A Neutron subnet with its network's MTU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Its network.
    pub network_id: NetworkId,
    /// Its CIDR.
    pub cidr: IpNet,
    /// The network's MTU.
    pub mtu: Mtu,
}

/// One of several subnets that a name matched.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SubnetCandidate {
    /// Its id.
    pub id: SubnetId,
    /// Its network.
    pub network_id: NetworkId,
    /// Its CIDR.
    pub cidr: IpNet,
}

/// A Neutron port that is plugged into a server of the project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// What the guest sees.
    pub mac_address: MacAddress,
    /// The server that owns it, whoever owns the port's project (rule 5).
    pub device_id: InstanceId,
    /// ACTIVE, DOWN, BUILD, …
    pub status: PortStatus,
    /// All its addresses, of any subnet and family.
    pub fixed_ips: Vec<FixedIp>,
    /// When it was made, in Unix seconds: the order in which new ports get ids (rule 3).
    pub created_at: i64,
}

/// One address of a port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FixedIp {
    /// The subnet the address was taken from.
    pub subnet_id: SubnetId,
    /// The address.
    pub address: IpAddr,
}

/// A port that exists but cannot be understood, for example because its MAC address does not parse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadablePort {
    /// Its id as given.
    pub id: String,
    /// The server it is plugged into.
    pub device_id: InstanceId,
    /// One sentence that says what is wrong.
    pub problem: String,
}

/// A port's status as Neutron gives it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE", ascii_case_insensitive)]
pub enum PortStatus {
    /// Wired up.
    Active,
    /// Not wired: the server is off, rebooting, or the agent has not got to it.
    Down,
    /// Being wired, or rewired after a change.
    Build,
    /// The wiring failed.
    Error,
    /// A status outside Neutron's documented set.
    #[strum(serialize = "UNKNOWN")]
    Unknown,
}

//! The words of multinic as types that cannot be wrong once built.
//!
//! Every value that crosses a boundary (a custom resource, an OpenStack answer, a body of the management API) is
//! parsed into one of these types once; the rest of the workspace never checks it again.
//!
//! Read in this order: [`ids`] and [`mac`] (names of things), [`address`] and [`mtu`] (what an interface carries),
//! [`node_config`] (the contract with the management API), [`openstack_config`] (the custom resource),
//! [`inventory`] (what OpenStack said), [`earlier`] (what was delivered before).

pub mod address;
pub mod broker;
pub mod crds;
pub mod earlier;
pub mod ids;
pub mod inventory;
pub mod mac;
pub mod mtu;
pub mod multinic_node_config;
pub mod node_config;
pub mod node_name;
pub mod openstack_config;
pub mod selection;

pub use address::InterfaceAddress;
pub use broker::{Broker, BrokerError};
pub use earlier::{Earlier, EarlierNode, UnreadableNode};
pub use ids::{ClusterId, InstanceId, InterfaceId, NetworkId, PortId, ProjectId, ProviderId, SubnetId};
pub use mac::MacAddress;
pub use mtu::Mtu;
pub use node_config::{Interface, NodeConfig};
pub use node_name::NodeName;
pub use selection::{ConfigKey, Selection, SubnetSelector, VmSelector};

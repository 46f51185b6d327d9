//! The node config: the body of the management API (contract 3.3), key for key.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{InstanceId, InterfaceAddress, InterfaceId, MacAddress, Mtu, NodeName, address::InterfaceAddressError};

/// One entry of a node config.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "InterfaceJson", into = "InterfaceJson")]
pub struct Interface {
    /// Stable within the node, from 1.
    pub id: InterfaceId,
    /// What the guest sees.
    pub mac_address: MacAddress,
    /// Address and CIDR.
    pub address: InterfaceAddress,
    /// Of the port's network, in bytes.
    pub mtu: Mtu,
}

/// Everything one node should have. `interfaces: []` means "this node has none any more".
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeConfig {
    /// The Kubernetes node.
    pub node_name: NodeName,
    /// The Nova server it runs in.
    pub instance_id: InstanceId,
    /// Sorted by id.
    pub interfaces: Vec<Interface>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InterfaceJson {
    id: InterfaceId,
    mac_address: MacAddress,
    address: IpAddr,
    cidr: IpNet,
    mtu: Mtu,
}

impl TryFrom<InterfaceJson> for Interface {
    type Error = InterfaceAddressError;

    fn try_from(json: InterfaceJson) -> Result<Self, Self::Error> {
        let InterfaceJson {
            id,
            mac_address,
            address,
            cidr,
            mtu,
        } = json;
        Ok(Self {
            id,
            mac_address,
            address: InterfaceAddress::new(address, cidr)?,
            mtu,
        })
    }
}

impl From<Interface> for InterfaceJson {
    fn from(interface: Interface) -> Self {
        let Interface {
            id,
            mac_address,
            address,
            mtu,
        } = interface;
        Self {
            id,
            mac_address,
            address: address.address(),
            cidr: address.cidr(),
            mtu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_the_contract_key_for_key() {
        let body = r#"{"nodeName":"worker-1","instanceId":"i-0123456789abcdef0","interfaces":[{"id":1,"macAddress":"00:1a:2b:3c:4d:5e","address":"192.168.1.100","cidr":"192.168.1.0/24","mtu":1500}]}"#;
        let config: NodeConfig = serde_json::from_str(body).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), body);
    }

    #[test]
    fn an_address_outside_its_cidr_is_refused() {
        let interface =
            r#"{"id":1,"macAddress":"00:1a:2b:3c:4d:5e","address":"192.168.2.1","cidr":"192.168.1.0/24","mtu":1500}"#;
        let error = serde_json::from_str::<Interface>(interface).unwrap_err();
        assert!(error.to_string().contains("lies outside"), "{error}");
    }
}

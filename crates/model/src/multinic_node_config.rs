//! The custom resource `MultiNicNodeConfig` (contract 3.4): one per node, read by the agent there.
//!
//! Agents already in the field read exactly this object, so every key of their CRD is here with a bound at least as
//! wide; only an empty list of interfaces ("clean up") is new.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    serde::{Deserialize, Serialize},
};
use kube::{CustomResource, KubeSchema};

/// What one node should have.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "multinic.io",
    version = "v1alpha1",
    kind = "MultiNicNodeConfig",
    plural = "multinicnodeconfigs",
    shortname = "mnnc",
    category = "multinic",
    namespaced,
    doc = "What one Kubernetes node should have; written by the management API, applied by the agent on the node.",
    status = "MultiNicNodeConfigStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name": "Node", "type": "string", "jsonPath": ".spec.nodeName"}"#,
    printcolumn = r#"{"name": "State", "type": "string", "jsonPath": ".status.state"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct MultiNicNodeConfigSpec {
    /// The Kubernetes node.
    #[schemars(length(min = 1, max = 253))]
    pub node_name: String,
    /// The Nova server it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub instance_id: Option<String>,
    /// Sorted by id; empty: the node has none any more, clean up.
    pub interfaces: Vec<InterfaceSpec>,
}

/// One interface of the node.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceSpec {
    /// Stable within the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>", range(min = 0))]
    pub id: Option<u32>,
    /// The link's name in the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^multinic[0-9]+$"))]
    pub name: Option<String>,
    /// The link is found by this address.
    #[schemars(regex(pattern = r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$"))]
    pub mac_address: String,
    /// The Neutron port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_id: Option<String>,
    /// IPv4 or IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The subnet of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>", range(min = 68, max = 65535))]
    pub mtu: Option<u32>,
}

/// What the agent did about it; the agent alone writes this.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MultiNicNodeConfigStatus {
    /// The node's state as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeState>,
    /// The generation of the spec that was last worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Standard conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// One entry per interface.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interface_statuses: Vec<InterfaceStatus>,
}

/// How far the agent got.
#[derive(schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeState {
    /// Not begun.
    Pending,
    /// Being applied.
    InProgress,
    /// As the spec says.
    Configured,
    /// At least one interface failed.
    Failed,
}

/// One interface as the agent found and left it.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceStatus {
    /// The link's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The interface's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>", range(min = 0))]
    pub id: Option<u32>,
    /// The link's MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
    /// Its MTU in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub mtu: Option<u32>,
    /// The interface's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why it is in that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When this entry last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Time>,
}

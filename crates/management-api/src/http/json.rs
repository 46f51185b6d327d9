//! What the answers look like.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use multinic_model::{
    NodeConfig,
    multinic_node_config::{InterfaceStatus, NodeState},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Fault,
    report::{ConditionJson, InterfaceStatusJson, StateJson},
};
use crate::store::{
    changes::{Change, ChangeKind},
    nodes::Node,
    outbox::DeliveryState,
    providers::{DeliverySettings, Provider, TargetState},
    reports::Report,
};

/// One interface of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterfaceJson {
    /// Stable within the node.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 1)]
    pub id: u32,
    /// Any usual notation; stored in lower case with colons.
    #[schema(example = "00:1a:2b:3c:4d:5e")]
    pub mac_address: String,
    /// IPv4 or IPv6, within the cidr.
    #[schema(example = "192.168.1.100")]
    pub address: String,
    /// The subnet.
    #[schema(example = "192.168.1.0/24")]
    pub cidr: String,
    /// In bytes.
    #[schema(minimum = 68, maximum = 65535, example = 1500)]
    pub mtu: u32,
}

/// A node config as it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeConfigJson {
    /// The Kubernetes node.
    #[schema(
        max_length = 253,
        pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        example = "worker-1"
    )]
    pub node_name: String,
    /// The server that it runs in.
    #[schema(pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$", example = "i-0123456789abcdef0")]
    pub instance_id: String,
    /// Everything that it should have; empty: it has none any more.
    #[schema(max_items = 256)]
    pub interfaces: Vec<InterfaceJson>,
    /// The revision that this was made from; 0 for a node that must not exist yet. Without it whatever is there is
    /// replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub revision: Option<u64>,
}

/// A node as it is kept.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeJson {
    /// The Kubernetes node.
    pub node_name: String,
    /// The server that it runs in.
    pub instance_id: String,
    /// Everything that it should have, by id.
    pub interfaces: Vec<InterfaceJson>,
    /// How often its content changed.
    pub revision: u64,
    /// When it was taken in.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When its content last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// How far its delivery into the cluster has come.
    pub delivery: Option<DeliveryState>,
    /// What its agent says.
    pub status: Option<ReportJson>,
}

/// An agent's report.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportJson {
    /// The node's state as a whole.
    #[schema(value_type = StateJson)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeState>,
    /// The revision that the report speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub observed_generation: Option<i64>,
    /// Standard conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<ConditionJson>)]
    pub conditions: Vec<Condition>,
    /// One entry per interface.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<InterfaceStatusJson>)]
    pub interface_statuses: Vec<InterfaceStatus>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub reported_at: Timestamp,
    /// Who said it.
    pub reported_by: String,
}

/// A page of nodes.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodesJson {
    /// By name.
    pub items: Vec<NodeJson>,
    /// Asks for the next page; null: there is none.
    pub next_cursor: Option<String>,
}

/// What became of one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResultStatus {
    /// It is new.
    Created,
    /// It has other content now.
    Updated,
    /// It had this content already.
    Unchanged,
    /// Nothing of it was taken.
    Rejected,
}

/// What became of one entry of a POST.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultJson {
    /// The entry's position, from 0.
    pub index: usize,
    /// Its node; empty if that could not be read.
    pub node_name: String,
    /// What became of it.
    pub status: ResultStatus,
    /// The revision in force.
    pub revision: Option<u64>,
    /// Why it was rejected, on one line.
    pub error: Option<String>,
    /// The same in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// What became of each entry of a POST, in order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ResultsJson {
    /// One for each.
    pub results: Vec<ResultJson>,
}

/// One change of one node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeJson {
    /// Its number within the cluster.
    pub sequence: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// The node.
    pub node_name: String,
    /// Its number within the node.
    pub revision: u64,
    /// The server that the node runs in.
    pub instance_id: String,
    /// What the node should have from then on; of a deletion, what it had until then.
    pub interfaces: Vec<InterfaceJson>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// Who did it.
    pub changed_by: String,
}

/// A page of changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangesJson {
    /// The newest first.
    pub items: Vec<ChangeJson>,
    /// Asks for the next page; null: there is none.
    pub next_cursor: Option<String>,
}

/// A cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderJson {
    /// The value of `x-provider-id`.
    pub id: String,
    /// For people.
    pub display_name: String,
    /// How node configs get into it.
    pub delivery: DeliverySettings,
    /// How many nodes it has.
    pub nodes: u64,
    /// How many interfaces.
    pub interfaces: u64,
    /// How many nodes the newest config of which is not delivered yet.
    pub undelivered: u64,
    /// How delivering into it goes as a whole.
    pub target: TargetState,
    /// The number of its last change.
    pub sequence: u64,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When its settings or one of its nodes last changed.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

/// A page of clusters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvidersJson {
    /// By id.
    pub items: Vec<ProviderJson>,
    /// Asks for the next page; null: there is none.
    pub next_cursor: Option<String>,
}

fn interfaces(config: &NodeConfig) -> Vec<InterfaceJson> {
    let interface = |interface: &multinic_model::Interface| InterfaceJson {
        id: interface.id.get(),
        mac_address: interface.mac_address.to_string(),
        address: interface.address.address().to_string(),
        cidr: interface.address.cidr().to_string(),
        mtu: interface.mtu.get().into(),
    };
    config.interfaces.iter().map(interface).collect()
}

impl From<Node> for NodeJson {
    fn from(node: Node) -> Self {
        Self {
            interfaces: interfaces(&node.config),
            node_name: node.config.node_name.into(),
            instance_id: node.config.instance_id.into(),
            revision: node.revision,
            created_at: node.created_at,
            updated_at: node.updated_at,
            delivery: node.delivery,
            status: node.report.map(ReportJson::from),
        }
    }
}

impl From<Report> for ReportJson {
    fn from(report: Report) -> Self {
        Self {
            state: report.status.state,
            observed_generation: report.status.observed_generation,
            conditions: report.status.conditions,
            interface_statuses: report.status.interface_statuses,
            reported_at: report.reported_at,
            reported_by: report.reported_by,
        }
    }
}

impl From<Change> for ChangeJson {
    fn from(change: Change) -> Self {
        Self {
            interfaces: interfaces(&change.config),
            sequence: change.sequence,
            kind: change.kind,
            node_name: change.config.node_name.into(),
            instance_id: change.config.instance_id.into(),
            revision: change.revision,
            changed_at: change.changed_at,
            changed_by: change.changed_by,
        }
    }
}

impl From<Provider> for ProviderJson {
    fn from(provider: Provider) -> Self {
        Self {
            id: provider.id.into(),
            display_name: provider.settings.display_name,
            delivery: provider.settings.delivery,
            nodes: provider.nodes,
            interfaces: provider.interfaces,
            undelivered: provider.undelivered,
            target: provider.target,
            sequence: provider.sequence,
            created_at: provider.created_at,
            changed_at: provider.changed_at,
        }
    }
}

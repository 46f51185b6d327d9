//! What the server's items hold, as far as people look at it. Keys that a server leaves out are empty; keys that are
//! not known here are ignored, so that an older reader understands a newer server.

use jiff::Timestamp;
use serde::Deserialize;

/// A node as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// The Kubernetes node.
    pub node_name: String,
    /// The server that it runs in.
    pub instance_id: String,
    /// Everything that it should have, by id.
    pub interfaces: Vec<Interface>,
    /// How often its content changed.
    #[serde(default)]
    pub revision: Option<u64>,
    /// When it was taken in.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When its content last changed.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// How far its delivery into the cluster has come, if the server says so.
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// What its agent says, if it said something.
    #[serde(default)]
    pub status: Option<Report>,
}

/// One interface of a node.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// Stable within the node.
    pub id: u32,
    /// Lower case with colons.
    pub mac_address: String,
    /// IPv4 or IPv6.
    pub address: String,
    /// The subnet.
    pub cidr: String,
    /// In bytes.
    pub mtu: u32,
}

/// How far the delivery of one node into its cluster has come.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Such as `off`, `pending`, `failing` or `delivered`.
    pub state: String,
    /// The revision that is in the cluster.
    #[serde(default)]
    pub delivered_revision: Option<u64>,
    /// When it was delivered.
    #[serde(default)]
    pub delivered_at: Option<Timestamp>,
    /// How often it was tried since the last change.
    #[serde(default)]
    pub attempts: u64,
    /// When it is tried next.
    #[serde(default)]
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// An agent's report.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Such as `Pending`, `InProgress`, `Configured` or `Failed`.
    #[serde(default)]
    pub state: Option<String>,
    /// The revision that it speaks of.
    #[serde(default)]
    pub observed_generation: Option<i64>,
    /// The conditions.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// One for each interface.
    #[serde(default)]
    pub interface_statuses: Vec<InterfaceReport>,
    /// When the report last changed.
    #[serde(default)]
    pub reported_at: Option<Timestamp>,
    /// Whose it is.
    #[serde(default)]
    pub reported_by: Option<String>,
}

/// A condition of an agent's report.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Condition {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, as one word.
    #[serde(default)]
    pub reason: String,
    /// Why, for people.
    #[serde(default)]
    pub message: String,
}

/// One interface as the agent found and left it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceReport {
    /// The link's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The interface's id.
    #[serde(default)]
    pub id: Option<u32>,
    /// The link's MAC address.
    #[serde(default)]
    pub mac_address: Option<String>,
    /// Its state.
    #[serde(default)]
    pub status: Option<String>,
    /// Why, as one word.
    #[serde(default)]
    pub reason: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub message: Option<String>,
}

/// One change of one node.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `created`, `updated` or `deleted`.
    pub kind: String,
    /// The node.
    pub node_name: String,
    /// The change's number within the node.
    pub revision: u64,
    /// The server that the node runs in.
    pub instance_id: String,
    /// What the node should have from then on; of a deletion, what it had until then.
    pub interfaces: Vec<Interface>,
    /// When it happened.
    pub changed_at: Timestamp,
    /// Who did it.
    pub changed_by: String,
}

/// A cluster.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The value of `x-provider-id`.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub display_name: String,
    /// How node configs get into it.
    pub delivery: DeliverySettings,
    /// How many nodes it has.
    pub nodes: u64,
    /// How many interfaces.
    pub interfaces: u64,
    /// How many nodes the newest config of which is not delivered yet.
    pub undelivered: u64,
    /// How delivering into it goes as a whole, if the server says so.
    #[serde(default)]
    pub target: Option<TargetState>,
    /// When its settings or one of its nodes last changed.
    pub changed_at: Timestamp,
}

/// How delivering into a cluster goes as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetState {
    /// Such as `off`, `working` or `failing`.
    pub state: String,
    /// What went wrong last, if it fails.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// How node configs get into a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliverySettings {
    /// Where its Kubernetes API is found.
    pub target: Target,
    /// What becomes of the object of a node without interfaces.
    pub empty_nodes: String,
}

/// Where a cluster's Kubernetes API is found.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Target {
    /// `auto`, `none`, `inCluster` or `kubeconfig`.
    pub kind: String,
    /// Which kubeconfig.
    #[serde(default)]
    pub name: Option<String>,
}

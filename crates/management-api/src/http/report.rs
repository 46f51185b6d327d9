//! What an agent reports: the status of a MultiNicNodeConfig (contract 3.4), each part of it bounded.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use multinic_model::multinic_node_config::{InterfaceStatus, MultiNicNodeConfigStatus, NodeState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fault, Problem, parse::typed};
use crate::whole;

/// How far the agent got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum StateJson {
    /// Not begun.
    Pending,
    /// Being applied.
    InProgress,
    /// As the node config says.
    Configured,
    /// At least one interface failed.
    Failed,
}

/// The status of a MultiNicNodeConfig.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusJson {
    /// The node's state as a whole.
    pub state: StateJson,
    /// The revision that the report speaks of.
    #[serde(default, deserialize_with = "whole::maybe")]
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64)]
    pub observed_generation: Option<u64>,
    /// Standard conditions.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub conditions: Vec<ConditionJson>,
    /// One entry per interface.
    #[serde(default)]
    #[schema(max_items = 256)]
    pub interface_statuses: Vec<InterfaceStatusJson>,
}

/// A condition as Kubernetes has them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConditionJson {
    /// Which one, such as `Ready`.
    #[serde(rename = "type")]
    #[schema(max_length = 1024)]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatusJson,
    /// The generation or revision that it speaks of.
    #[serde(default, deserialize_with = "whole::maybe", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64)]
    pub observed_generation: Option<u64>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub last_transition_time: Timestamp,
    /// Why, in one word.
    #[schema(max_length = 1024)]
    pub reason: String,
    /// The same for people.
    #[schema(max_length = 32768)]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum ConditionStatusJson {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

/// One interface as the agent found and left it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterfaceStatusJson {
    /// The link's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub name: Option<String>,
    /// The interface's id.
    #[serde(default, deserialize_with = "whole::maybe", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub id: Option<u32>,
    /// The link's MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub mac_address: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub address: Option<String>,
    /// Its subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub cidr: Option<String>,
    /// Its MTU in bytes.
    #[serde(default, deserialize_with = "whole::maybe", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub mtu: Option<u32>,
    /// The interface's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub status: Option<String>,
    /// Why it is in that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32768)]
    pub message: Option<String>,
    /// When this entry last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_updated: Option<Timestamp>,
}

const MAX_CONDITIONS: usize = 32;
const MAX_INTERFACES: usize = 256;
const MAX_TEXT: usize = 1024;
const MAX_MESSAGE: usize = 32_768;
const MAX_INT32: u64 = i32::MAX as u64;
const MAX_INT64: u64 = i64::MAX as u64;

/// What each key takes, for people.
fn allowed(key: &str) -> Option<&'static str> {
    Some(match key {
        "state" => "Pending, InProgress, Configured or Failed",
        "observedGeneration" => "a revision of the node, 0 to 9223372036854775807",
        "conditions" => "a list of at most 32 conditions",
        "interfaceStatuses" => "a list of at most 256 interfaces",
        "status" => "of a condition True, False or Unknown; of an interface a text",
        "lastTransitionTime" | "lastUpdated" => "a time such as 2026-01-08T00:00:00Z",
        "id" | "mtu" => "0 to 2147483647",
        "type" | "reason" | "name" | "macAddress" | "address" | "cidr" => "at most 1024 characters",
        "message" => "at most 32768 characters",
        _ => return None,
    })
}

/// Parses a report.
pub(super) fn parse(body: &[u8]) -> Result<(NodeState, MultiNicNodeConfigStatus), Problem> {
    let status: StatusJson = typed(body, allowed)?;
    check(&status).map_err(Problem::bad)?;
    Ok((status.state.into(), status.into()))
}

/// What the types alone do not say.
fn check(status: &StatusJson) -> Result<(), Fault> {
    at_most("", "observedGeneration", status.observed_generation, MAX_INT64)?;
    at_most(
        "",
        "conditions",
        Some(status.conditions.len() as u64),
        MAX_CONDITIONS as u64,
    )?;
    at_most(
        "",
        "interfaceStatuses",
        Some(status.interface_statuses.len() as u64),
        MAX_INTERFACES as u64,
    )?;
    for (index, condition) in status.conditions.iter().enumerate() {
        let at = format!("/conditions/{index}");
        at_most(&at, "observedGeneration", condition.observed_generation, MAX_INT64)?;
        short(&at, "type", Some(&condition.kind), MAX_TEXT)?;
        short(&at, "reason", Some(&condition.reason), MAX_TEXT)?;
        short(&at, "message", Some(&condition.message), MAX_MESSAGE)?;
    }
    for (index, interface) in status.interface_statuses.iter().enumerate() {
        check_interface(&format!("/interfaceStatuses/{index}"), interface)?;
    }
    Ok(())
}

fn check_interface(at: &str, interface: &InterfaceStatusJson) -> Result<(), Fault> {
    at_most(at, "id", interface.id.map(u64::from), MAX_INT32)?;
    at_most(at, "mtu", interface.mtu.map(u64::from), MAX_INT32)?;
    for (key, text) in [
        ("name", &interface.name),
        ("macAddress", &interface.mac_address),
        ("address", &interface.address),
        ("cidr", &interface.cidr),
        ("status", &interface.status),
        ("reason", &interface.reason),
    ] {
        short(at, key, text.as_deref(), MAX_TEXT)?;
    }
    short(at, "message", interface.message.as_deref(), MAX_MESSAGE)
}

fn at_most(at: &str, key: &str, found: Option<u64>, most: u64) -> Result<(), Fault> {
    match found {
        Some(found) if found > most => {
            let fault = Fault::new(format!("{at}/{key}"), "too many or too great").found(&found.to_string());
            Err(fault.allowed(allowed(key).unwrap_or_default()))
        }
        _ => Ok(()),
    }
}

fn short(at: &str, key: &str, text: Option<&str>, most: usize) -> Result<(), Fault> {
    match text {
        Some(text) if text.chars().count() > most => {
            let fault = Fault::new(format!("{at}/{key}"), "too long").found(text);
            Err(fault.allowed(format!("at most {most} characters")))
        }
        _ => Ok(()),
    }
}

impl From<StateJson> for NodeState {
    fn from(state: StateJson) -> Self {
        match state {
            StateJson::Pending => Self::Pending,
            StateJson::InProgress => Self::InProgress,
            StateJson::Configured => Self::Configured,
            StateJson::Failed => Self::Failed,
        }
    }
}

impl From<StatusJson> for MultiNicNodeConfigStatus {
    fn from(status: StatusJson) -> Self {
        Self {
            state: Some(status.state.into()),
            observed_generation: status.observed_generation.and_then(|number| number.try_into().ok()),
            conditions: status.conditions.into_iter().map(Condition::from).collect(),
            interface_statuses: status
                .interface_statuses
                .into_iter()
                .map(InterfaceStatus::from)
                .collect(),
        }
    }
}

impl From<ConditionJson> for Condition {
    fn from(condition: ConditionJson) -> Self {
        Self {
            type_: condition.kind,
            status: format!("{:?}", condition.status),
            observed_generation: condition.observed_generation.and_then(|number| number.try_into().ok()),
            last_transition_time: Time(condition.last_transition_time),
            reason: condition.reason,
            message: condition.message,
        }
    }
}

impl From<InterfaceStatusJson> for InterfaceStatus {
    fn from(interface: InterfaceStatusJson) -> Self {
        Self {
            name: interface.name,
            id: interface.id,
            mac_address: interface.mac_address,
            address: interface.address,
            cidr: interface.cidr,
            mtu: interface.mtu,
            status: interface.status,
            reason: interface.reason,
            message: interface.message,
            last_updated: interface.last_updated.map(Time),
        }
    }
}

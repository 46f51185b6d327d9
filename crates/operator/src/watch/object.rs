//! An OpenstackConfig as it comes over the watch: whatever is wrong with one of them concerns that one alone.
//!
//! Spec and status are parsed by themselves. A spec that does not parse leaves the record in the status readable, so that
//! what the config has delivered is still known; a status entry that does not parse leaves the others.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, core::NamespaceResourceScope};
use multinic_model::openstack_config::{NodeStatus, OpenstackConfig, OpenstackConfigSpec, OpenstackConfigStatus};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// One OpenstackConfig, parsed as far as possible.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Name, generation, finalizers and so on.
    pub metadata: ObjectMeta,
    /// What it asks for, or what is wrong with it.
    pub spec: Result<OpenstackConfigSpec, String>,
    /// What the operator has recorded; empty for a new one.
    pub status: OpenstackConfigStatus,
}

impl<'de> Deserialize<'de> for Watched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default)]
            metadata: ObjectMeta,
            #[serde(default)]
            spec: Value,
            #[serde(default)]
            status: Value,
        }
        let Raw { metadata, spec, status } = Raw::deserialize(deserializer)?;
        Ok(Self {
            metadata,
            spec: serde_json::from_value(spec).map_err(|error| error.to_string()),
            status: parse_status(&status),
        })
    }
}

fn parse_status(status: &Value) -> OpenstackConfigStatus {
    if status.is_null() {
        return OpenstackConfigStatus::default();
    }
    parse(status).unwrap_or_else(|| salvage(status))
}

/// What is readable of a status that is not readable as a whole. The conditions are written anew anyway; what counts is
/// the record of what was delivered.
fn salvage(status: &Value) -> OpenstackConfigStatus {
    let nodes = status.get("nodes").and_then(Value::as_array);
    OpenstackConfigStatus {
        cluster_id: field(status, "clusterID"),
        nodes: nodes.into_iter().flatten().filter_map(parse::<NodeStatus>).collect(),
        ..OpenstackConfigStatus::default()
    }
}

fn field<T: DeserializeOwned>(object: &Value, name: &str) -> Option<T> {
    object.get(name).and_then(parse)
}

fn parse<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

impl Resource for Watched {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        OpenstackConfig::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        OpenstackConfig::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        OpenstackConfig::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        OpenstackConfig::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn watched(object: Value) -> Watched {
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_spec_that_does_not_parse_leaves_name_and_record_readable() {
        let watched = watched(json!({
            "metadata": {"name": "c", "namespace": "ns", "generation": 3},
            "spec": {"vmNames": "w1", "credentials": {}},
            "status": {"clusterID": "biz", "nodes": [{"vm": "w1", "instanceID": "i-1", "nodeName": "w1", "interfaces": 1, "state": "Delivered"}]},
        }));
        assert!(watched.spec.is_err());
        let named = (watched.metadata.name.as_deref(), watched.metadata.generation);
        assert_eq!(named, (Some("c"), Some(3)));
        assert_eq!(watched.status.nodes.len(), 1);
    }

    #[test]
    fn one_bad_entry_of_the_record_leaves_the_others() {
        let good = json!({"vm": "w1", "instanceID": "i-1", "nodeName": "w1", "interfaces": 1, "state": "Delivered"});
        let bad = json!({"vm": "w2", "instanceID": "i-2", "nodeName": "W 2", "interfaces": 1, "state": "Delivered"});
        let watched = watched(
            json!({"metadata": {"name": "c"}, "spec": {}, "status": {"clusterID": "biz", "nodes": [bad, good]}}),
        );
        assert_eq!(watched.status.nodes.len(), 1);
        assert_eq!(watched.status.nodes[0].vm, "w1");
        assert!(watched.status.cluster_id.is_some());
    }

    #[test]
    fn a_new_config_has_an_empty_record() {
        let watched = watched(json!({"metadata": {"name": "c"}, "spec": {
            "subnetID": "s", "vmNames": ["w1"], "credentials": {"openstackProviderID": "p", "projectID": "df64928216f740d3a6b84a66fa30b649"}}}));
        assert_eq!(
            (watched.spec.is_ok(), watched.status),
            (true, OpenstackConfigStatus::default())
        );
    }
}

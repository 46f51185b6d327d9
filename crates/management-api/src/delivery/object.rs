//! The object of a node (contract 3.4), and how one that is found compares with it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use kube::core::DynamicObject;
use multinic_model::{
    ClusterId, Interface, NodeConfig,
    multinic_node_config::{InterfaceSpec, MultiNicNodeConfig, MultiNicNodeConfigSpec},
};
use serde::Deserialize;
use serde_json::Value;

use crate::store::content::digest;

/// Where the objects live.
pub(super) const NAMESPACE: &str = "multinic-system";

/// Who writes them.
pub(super) const FIELD_MANAGER: &str = "multinic-management-api";

const NODE_NAME: &str = "multinic.io/node-name";
const INSTANCE_ID: &str = "multinic.io/instance-id";
const PROVIDER_ID: &str = "multinic.io/provider-id";

/// The longest label value that Kubernetes takes.
const MAX_LABEL: usize = 63;

/// The object that the node should have.
pub(super) fn object(cluster: &ClusterId, config: &NodeConfig) -> MultiNicNodeConfig {
    let spec = MultiNicNodeConfigSpec {
        node_name: config.node_name.to_string(),
        instance_id: Some(config.instance_id.to_string()),
        interfaces: interfaces(config),
    };
    let mut object = MultiNicNodeConfig::new(config.node_name.as_str(), spec);
    let names = [
        (NODE_NAME, config.node_name.as_str()),
        (INSTANCE_ID, config.instance_id.as_str()),
        (PROVIDER_ID, cluster.as_str()),
    ];
    let labels = names.map(|(name, value)| (name.to_owned(), label(value).into_owned()));
    let spelled_out: BTreeMap<_, _> = names
        .into_iter()
        .filter(|(_, value)| label(value) != *value)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    object.metadata.namespace = Some(NAMESPACE.to_owned());
    object.metadata.labels = Some(labels.into());
    object.metadata.annotations = (!spelled_out.is_empty()).then_some(spelled_out);
    object
}

fn interfaces(config: &NodeConfig) -> Vec<InterfaceSpec> {
    let mut interfaces: Vec<_> = config.interfaces.iter().collect();
    interfaces.sort_by_key(|interface| interface.id);
    let spec = |interface: &Interface| InterfaceSpec {
        id: Some(interface.id.get()),
        name: Some(format!("multinic{}", interface.id)),
        mac_address: interface.mac_address.to_string(),
        port_id: None,
        address: Some(interface.address.address().to_string()),
        cidr: Some(interface.address.cidr().to_string()),
        mtu: Some(interface.mtu.get().into()),
    };
    interfaces.into_iter().map(spec).collect()
}

/// The text as a label's value. What Kubernetes does not take as such becomes a digest, and stands in an annotation.
fn label(text: &str) -> Cow<'_, str> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let fits = bytes.len() <= MAX_LABEL && bytes.iter().copied().all(inner) && end(bytes.first()) && end(bytes.last());
    if fits {
        return Cow::Borrowed(text);
    }
    let mut value = format!("sha256-{}", digest(bytes));
    value.truncate(MAX_LABEL);
    Cow::Owned(value)
}

/// How an object that was found stands to the one that should be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// It is as it should be.
    Same,
    /// It is this cluster's, and different.
    Different,
    /// It says nothing about whose it is, and is about the same server.
    Unclaimed,
    /// It is somebody else's: another provider's, or nobody's and about another server.
    Foreign(Option<String>),
}

/// Compares what this server writes and nothing else: what others add is theirs.
pub(super) fn compare(found: &DynamicObject, wanted: &MultiNicNodeConfig) -> Standing {
    let spec = found.data.get("spec").cloned().unwrap_or_default();
    let labels = found.metadata.labels.as_ref();
    let wanted_labels = wanted.metadata.labels.as_ref();
    let owner = labels.and_then(|labels| labels.get(PROVIDER_ID));
    match owner {
        Some(owner) if wanted_labels.and_then(|labels| labels.get(PROVIDER_ID)) != Some(owner) => {
            Standing::Foreign(Some(owner.clone()))
        }
        Some(_) => {
            let spec: Option<MultiNicNodeConfigSpec> = serde_json::from_value(spec).ok();
            let same = spec.as_ref() == Some(&wanted.spec)
                && has(labels, wanted_labels)
                && has(
                    found.metadata.annotations.as_ref(),
                    wanted.metadata.annotations.as_ref(),
                );
            if same { Standing::Same } else { Standing::Different }
        }
        None => match spec.get("instanceId").and_then(|id| id.as_str()) {
            Some(instance) if wanted.spec.instance_id.as_deref() != Some(instance) => Standing::Foreign(None),
            _ => Standing::Unclaimed,
        },
    }
}

/// A number for everything that this server writes of an object: equal numbers are equal objects, as far as it goes.
pub(super) fn fingerprint(object: &MultiNicNodeConfig) -> u64 {
    let metadata = &object.metadata;
    hash(
        metadata.labels.as_ref(),
        metadata.annotations.as_ref(),
        Some(&object.spec),
    )
}

/// The same of one that was found.
pub(super) fn fingerprint_of(found: &DynamicObject) -> u64 {
    let spec = found
        .data
        .get("spec")
        .and_then(|spec| MultiNicNodeConfigSpec::deserialize(spec).ok());
    let metadata = &found.metadata;
    hash(metadata.labels.as_ref(), metadata.annotations.as_ref(), spec.as_ref())
}

fn hash(
    labels: Option<&BTreeMap<String, String>>,
    annotations: Option<&BTreeMap<String, String>>,
    spec: Option<&MultiNicNodeConfigSpec>,
) -> u64 {
    let mut hasher = DefaultHasher::new();
    for names in [labels, annotations] {
        for name in [NODE_NAME, INSTANCE_ID, PROVIDER_ID] {
            names.and_then(|names| names.get(name)).hash(&mut hasher);
        }
    }
    spec.and_then(|spec| serde_json::to_string(spec).ok()).hash(&mut hasher);
    hasher.finish()
}

/// Whether the agent says that the node has no interfaces any more, and speaks of the object as it is.
pub(super) fn is_clean(found: &DynamicObject) -> bool {
    let status = |key: &str| found.data.get("status").and_then(|status| status.get(key));
    let observed = status("observedGeneration").and_then(Value::as_i64);
    !has_interfaces(found)
        && status("state").and_then(Value::as_str) == Some("Configured")
        && observed.is_some()
        && observed >= found.metadata.generation
}

/// Whether the object carries this cluster's name.
pub(super) fn is_of(found: &DynamicObject, cluster: &ClusterId) -> bool {
    let labels = found.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(PROVIDER_ID)).map(String::as_str) == Some(&*label(cluster.as_str()))
}

/// Whether the object gives its node any interface.
pub(super) fn has_interfaces(found: &DynamicObject) -> bool {
    let list = found.data.pointer("/spec/interfaces").and_then(|list| list.as_array());
    list.is_none_or(|list| !list.is_empty())
}

fn has(found: Option<&BTreeMap<String, String>>, wanted: Option<&BTreeMap<String, String>>) -> bool {
    let mut wanted = wanted.into_iter().flatten();
    wanted.all(|(name, value)| found.and_then(|found| found.get(name)) == Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> NodeConfig {
        serde_json::from_value(json!({"nodeName": "worker-1", "instanceId": "i-1", "interfaces": [
            {"id": 2, "macAddress": "02:00:00:00:00:02", "address": "10.0.0.2", "cidr": "10.0.0.0/24", "mtu": 1500},
            {"id": 1, "macAddress": "02:00:00:00:00:01", "address": "10.0.0.1", "cidr": "10.0.0.0/24", "mtu": 9000}]}))
        .unwrap()
    }

    fn wanted() -> MultiNicNodeConfig {
        object(&"biz-1".parse().unwrap(), &config())
    }

    fn found(change: impl FnOnce(&mut Value)) -> DynamicObject {
        let mut value = serde_json::to_value(wanted()).unwrap();
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_object_is_the_contracts() {
        assert_eq!(
            serde_json::to_value(wanted()).unwrap(),
            json!({"apiVersion": "multinic.io/v1alpha1", "kind": "MultiNicNodeConfig",
                "metadata": {"name": "worker-1", "namespace": "multinic-system", "labels": {
                    "multinic.io/node-name": "worker-1", "multinic.io/instance-id": "i-1", "multinic.io/provider-id": "biz-1"}},
                "spec": {"nodeName": "worker-1", "instanceId": "i-1", "interfaces": [
                    {"id": 1, "name": "multinic1", "macAddress": "02:00:00:00:00:01", "address": "10.0.0.1",
                        "cidr": "10.0.0.0/24", "mtu": 9000},
                    {"id": 2, "name": "multinic2", "macAddress": "02:00:00:00:00:02", "address": "10.0.0.2",
                        "cidr": "10.0.0.0/24", "mtu": 1500}]}})
        );
    }

    #[test]
    fn what_is_no_label_becomes_a_digest_and_an_annotation() {
        assert_eq!(label("biz-1"), "biz-1");
        let long = "a".repeat(64);
        for text in ["a:b", "-a", "a-", "", "a b", &long] {
            let value = label(text);
            assert!(value.starts_with("sha256-") && value.len() == MAX_LABEL, "{value}");
        }
        let object = object(&"https://biz:6443?".replace('/', "").parse().unwrap(), &config());
        let annotations = object.metadata.annotations.unwrap();
        assert_eq!(
            annotations.into_iter().collect::<Vec<_>>(),
            [(PROVIDER_ID.to_owned(), "https:biz:6443?".to_owned())]
        );
    }

    #[test]
    fn what_others_add_makes_no_difference_and_what_they_change_does() {
        let standing = |change: fn(&mut Value)| compare(&found(change), &wanted());
        assert_eq!(standing(|_| ()), Standing::Same);
        assert_eq!(
            standing(|o| o["metadata"]["labels"]["other"] = json!("x")),
            Standing::Same
        );
        assert_eq!(standing(|o| o["status"] = json!({"state": "Failed"})), Standing::Same);
        assert_eq!(
            standing(|o| o["spec"]["interfaces"][0]["mtu"] = json!(1400)),
            Standing::Different
        );
        assert_eq!(
            standing(|o| o["spec"]["interfaces"][0]["portId"] = json!("p")),
            Standing::Different
        );
        assert_eq!(
            standing(|o| o["metadata"]["labels"]["multinic.io/node-name"] = json!("x")),
            Standing::Different
        );
        assert_eq!(standing(|o| o["spec"] = json!({"strange": []})), Standing::Different);
    }

    #[test]
    fn whose_it_is_is_said_by_its_label_and_else_by_its_server() {
        let standing = |change: fn(&mut Value)| compare(&found(change), &wanted());
        assert_eq!(
            standing(|o| o["metadata"]["labels"]["multinic.io/provider-id"] = json!("biz-2")),
            Standing::Foreign(Some("biz-2".to_owned()))
        );
        assert_eq!(standing(|o| o["metadata"]["labels"] = json!({})), Standing::Unclaimed);
        assert_eq!(
            standing(|o| {
                o["metadata"]["labels"] = json!({});
                o["spec"]["instanceId"] = json!("i-2");
            }),
            Standing::Foreign(None)
        );
    }
}

//! What a test expects of a delivery, written down by hand: nothing of the product decides it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// One interface, key for key as in the contract.
pub fn nic(id: u32, mac: &str, address: &str, cidr: &str, mtu: u32) -> Value {
    json!({"id": id, "macAddress": mac, "address": address, "cidr": cidr, "mtu": mtu})
}

/// One node config.
pub fn node(name: &str, instance: &str, interfaces: impl Into<Value>) -> Value {
    json!({"nodeName": name, "instanceId": instance, "interfaces": interfaces.into()})
}

/// `{nodeName: node config}`.
pub fn nodes(all: impl IntoIterator<Item = Value>) -> Value {
    let named = all
        .into_iter()
        .map(|node| (node["nodeName"].as_str().unwrap().to_owned(), node));
    named.collect::<Map<_, _>>().into()
}

/// The ids of one node by MAC.
pub fn ids(node: &Value) -> BTreeMap<String, u64> {
    let interfaces = node["interfaces"].as_array().cloned().unwrap_or_default();
    let pair = |nic: &Value| {
        (
            nic["macAddress"].as_str().unwrap().to_owned(),
            nic["id"].as_u64().unwrap(),
        )
    };
    interfaces.iter().map(pair).collect()
}

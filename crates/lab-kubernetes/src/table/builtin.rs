//! The columns of built-in kinds.

use serde_json::{Value, json};

use super::age;
use crate::{
    kinds::{Builtin, Column},
    object::{at, text},
};

const fn col(name: &'static str, json_type: &'static str) -> Column {
    Column {
        name,
        json_type,
        priority: 0,
    }
}

/// The columns after the name.
pub(super) fn columns(builtin: &Builtin) -> Vec<Column> {
    let (words, age): (&[&'static str], bool) = match builtin.kind {
        "Namespace" => (&["Status"], true),
        "ConfigMap" => (&["Data"], true),
        "Secret" => (&["Type", "Data"], true),
        "Lease" => (&["Holder"], true),
        "Service" => (&["Type", "Cluster-IP", "Port(s)"], true),
        "Deployment" => (&["Ready", "Up-to-date", "Available"], true),
        "RoleBinding" | "ClusterRoleBinding" => (&["Role"], true),
        "PodDisruptionBudget" => (&["Min Available", "Max Unavailable"], true),
        "CustomResourceDefinition" | "Role" | "ClusterRole" => (&["Created At"], false),
        "Event" => (&["Last Seen", "Type", "Reason", "Object", "Message"], false),
        _ => (&[], true),
    };
    let words = words.iter().map(|word| col(word, "string"));
    words.chain(age.then(|| col("Age", "string"))).collect()
}

/// The cells after the name.
pub(super) fn cells(builtin: &Builtin, object: &Value) -> Vec<Value> {
    let of = |path: &[&str]| at(object, path).cloned().unwrap_or(Value::Null);
    let or_none = |path: &[&str]| at(object, path).cloned().unwrap_or_else(|| json!("<none>"));
    let mut cells = match builtin.kind {
        "Namespace" => vec![of(&["status", "phase"])],
        "ConfigMap" => vec![json!(count(object, &["data", "binaryData"]))],
        "Secret" => vec![of(&["type"]), json!(count(object, &["data"]))],
        "Lease" => vec![of(&["spec", "holderIdentity"])],
        "Service" => vec![
            or_none(&["spec", "type"]),
            or_none(&["spec", "clusterIP"]),
            json!(ports(object)),
        ],
        "Deployment" => {
            let number = |key: &str| at(object, &["status", key]).and_then(Value::as_i64).unwrap_or_default();
            let wanted = at(object, &["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(1);
            vec![
                json!(format!("{}/{wanted}", number("readyReplicas"))),
                json!(number("updatedReplicas")),
                json!(number("availableReplicas")),
            ]
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = |key| text(object, &["roleRef", key]).unwrap_or_default();
            vec![json!(format!("{}/{}", role("kind"), role("name")))]
        }
        "PodDisruptionBudget" => {
            let limit = |key: &str| {
                at(object, &["spec", key]).map_or_else(|| json!("N/A"), |v| json!(v.to_string().trim_matches('"')))
            };
            vec![limit("minAvailable"), limit("maxUnavailable")]
        }
        "CustomResourceDefinition" | "Role" | "ClusterRole" => return vec![of(&["metadata", "creationTimestamp"])],
        "Event" => return event(object),
        _ => Vec::new(),
    };
    cells.push(json!(age::since(
        text(object, &["metadata", "creationTimestamp"]).unwrap_or_default()
    )));
    cells
}

fn event(event: &Value) -> Vec<Value> {
    let either = |a: &[&str], b: &[&str]| text(event, a).or_else(|| text(event, b)).unwrap_or_default().to_owned();
    let times = [
        either(&["series", "lastObservedTime"], &["lastTimestamp"]),
        either(&["deprecatedLastTimestamp"], &["eventTime"]),
        either(&["metadata", "creationTimestamp"], &[]),
    ];
    let last = times.iter().find(|time| !time.is_empty()).map_or("", String::as_str);
    let kind = either(&["involvedObject", "kind"], &["regarding", "kind"]).to_lowercase();
    let name = either(&["involvedObject", "name"], &["regarding", "name"]);
    vec![
        json!(age::since(last)),
        event["type"].clone(),
        event["reason"].clone(),
        json!(format!("{kind}/{name}")),
        json!(either(&["message"], &["note"])),
    ]
}

fn count(object: &Value, keys: &[&str]) -> usize {
    keys.iter()
        .filter_map(|key| object[*key].as_object())
        .map(serde_json::Map::len)
        .sum()
}

fn ports(service: &Value) -> String {
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let ports: Vec<String> = ports
        .map(|port| format!("{}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP")))
        .collect();
    ports.join(",")
}

//! What must be delivered, from the cloud's own answers and the OpenstackConfigs. Ids are not worked out: the watchdog
//! watches them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stage::{CONFIGS, Failure, NAMESPACE, Stage};

use crate::truth::{SUBNETS, Truth};

/// The clusters that OpenstackConfigs name.
pub const CLUSTERS: [&str; 3] = ["biz-0", "biz-1", "biz-2"];

/// Instance, and of each interface the MAC, address, CIDR and MTU.
type Node = (String, BTreeSet<[String; 4]>);
/// By cluster and node name; only nodes that have an interface.
pub type Nodes = BTreeMap<(String, String), Node>;

/// What is called for. Deleted configs are to be gone.
pub async fn expected(stage: &Stage) -> Result<Nodes, Failure> {
    let truth = Truth::ask(stage).await?;
    let mut nodes = Nodes::new();
    for config in stage.kubernetes.list(CONFIGS, Some(NAMESPACE))? {
        if config["metadata"]["deletionTimestamp"].is_null() {
            add(&mut nodes, &truth, &config["spec"]);
        }
    }
    nodes.retain(|_, (_, interfaces)| !interfaces.is_empty());
    Ok(nodes)
}

fn add(nodes: &mut Nodes, truth: &Truth, spec: &Value) {
    let credentials = &spec["credentials"];
    for vm in spec["vmNames"].as_array().into_iter().flatten() {
        let of_project = truth
            .servers
            .iter()
            .filter(|server| server["tenant_id"] == credentials["projectID"]);
        let meant: Vec<_> = of_project
            .filter(|server| server["id"] == *vm || server["name"] == *vm)
            .collect();
        let [server] = meant[..] else { continue };
        let key = (text(&credentials["k8sProviderID"]), text(&server["name"]));
        let node = nodes
            .entry(key)
            .or_insert_with(|| (text(&server["id"]), BTreeSet::new()));
        let ports = truth.ports.iter().filter(|port| port["device_id"] == server["id"]);
        node.1
            .extend(ports.flat_map(|port| interfaces(truth, port, &spec["subnetID"])));
    }
}

fn interfaces(truth: &Truth, port: &Value, subnet: &Value) -> Vec<[String; 4]> {
    let fixed_ips = port["fixed_ips"].as_array().into_iter().flatten();
    let here = fixed_ips.filter(|fixed_ip| fixed_ip["subnet_id"] == *subnet);
    let find = |all: &[Value], id: &Value| all.iter().find(|one| one["id"] == *id).cloned().unwrap_or_default();
    let subnet = find(&truth.subnets, subnet);
    let network = find(&truth.networks, &subnet["network_id"]);
    let interface = |fixed_ip: &Value| {
        [
            text(&port["mac_address"]).to_lowercase(),
            text(&fixed_ip["ip_address"]),
            text(&subnet["cidr"]),
            network["mtu"].to_string(),
        ]
    };
    here.map(interface).collect()
}

/// What is delivered otherwise than it should be, or an OpenstackConfig that should be gone, or a removal that still
/// waits.
pub fn difference(stage: &Stage, expected: &Nodes) -> Result<Option<String>, Failure> {
    let delivered = delivered(stage);
    let keys: BTreeSet<_> = expected.keys().chain(delivered.keys()).collect();
    for key in keys {
        let (wanted, found) = (expected.get(key), delivered.get(key));
        if wanted != found {
            return Ok(Some(format!("{key:?}: {found:?} is delivered instead of {wanted:?}")));
        }
    }
    for config in stage.kubernetes.list(CONFIGS, Some(NAMESPACE))? {
        if !config["metadata"]["deletionTimestamp"].is_null() {
            return Ok(Some(format!("not gone: {config}")));
        }
    }
    let removals = stage
        .kubernetes
        .get("configmaps", NAMESPACE, "multinic-operator-removals")?;
    let waiting = removals
        .map(|map| map["data"].clone())
        .filter(|data| data.as_object().is_some_and(|data| !data.is_empty()));
    Ok(waiting.map(|data| format!("removals still wait: {data}")))
}

fn delivered(stage: &Stage) -> Nodes {
    let mut nodes = Nodes::new();
    for cluster in CLUSTERS {
        let of_cluster = stage.receiver.node_configs(cluster);
        for (name, node) in of_cluster.as_object().into_iter().flatten() {
            let interfaces = node["interfaces"].as_array().into_iter().flatten().map(|nic| {
                ["macAddress", "address", "cidr"]
                    .map(|key| text(&nic[key]))
                    .into_iter()
                    .chain([nic["mtu"].to_string()])
            });
            let interfaces = interfaces.filter_map(|nic| nic.collect::<Vec<_>>().try_into().ok());
            nodes.insert(
                (cluster.to_owned(), name.clone()),
                (text(&node["instanceId"]), interfaces.collect()),
            );
        }
    }
    nodes.retain(|_, (_, interfaces)| !interfaces.is_empty());
    nodes
}

/// Every subnet.
pub fn subnets() -> impl Iterator<Item = &'static str> {
    SUBNETS.into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

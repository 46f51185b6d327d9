//! deploy/management-api: either variant applied by the real kubectl, against what the program and the operator expect.

mod delivery;
mod manifests;
mod pod;
mod process;
mod serving;

use crate::cluster::{Cluster, NAMESPACE};

/// All of its objects have this name, or begin with it.
pub const NAME: &str = "multinic-management-api";
/// The folders, one of which is applied.
pub const VARIANTS: [&str; 2] = ["sqlite", "postgresql"];

/// A cluster with the namespace and one variant.
pub async fn installed(variant: &str) -> Cluster {
    let cluster = Cluster::new().await;
    cluster.kubectl(&["apply", "-f", "deploy/namespace.yaml"]).await;
    cluster.kubectl(&["apply", "-k", &folder(variant)]).await;
    cluster
}

/// What is given to `kubectl apply -k`.
pub fn folder(variant: &str) -> String {
    format!("deploy/management-api/{variant}")
}

/// The objects of that kind in the namespace, by name.
pub fn names(cluster: &Cluster, resource: &str) -> Vec<String> {
    let found = cluster.lab.list(resource, Some(NAMESPACE)).unwrap();
    let name = |object: &serde_json::Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    found.iter().map(name).collect()
}

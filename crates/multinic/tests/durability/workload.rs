//! The workload cluster that the node configs are for.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use multinic_lab_kubernetes::KubernetesLab;
use multinic_testing::writers::{Delivery, History};
use serde_json::{Value, json};
use tempfile::TempDir;

const OBJECTS: &str = "multinicnodeconfigs.multinic.io";
const NAMESPACE: &str = "multinic-system";

/// A small Kubernetes API that outlives every kill.
pub struct Workload {
    lab: KubernetesLab,
    kubeconfigs: TempDir,
}

impl Workload {
    pub async fn start(cluster: &str) -> Self {
        let lab = KubernetesLab::builder().start().await.unwrap();
        let kubeconfigs = tempfile::tempdir().unwrap();
        fs::write(kubeconfigs.path().join(cluster), lab.kubeconfig()).unwrap();
        Self { lab, kubeconfigs }
    }

    /// The folder of its kubeconfig.
    pub fn kubeconfigs(&self) -> &Path {
        self.kubeconfigs.path()
    }

    /// Waits until every node is delivered, and looks whether it arrived as it is; how many.
    pub async fn has_everything(&self, history: &History, api: SocketAddr) -> usize {
        let nodes = loop {
            let nodes = history.nodes(api).await;
            if nodes.iter().all(is_delivered) {
                break nodes;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        for node in &nodes {
            let object = self.lab.get(OBJECTS, NAMESPACE, &node.node).unwrap();
            let mut spec = object.unwrap_or_else(|| panic!("{} never arrived", node.node))["spec"].take();
            for interface in spec["interfaces"].as_array_mut().unwrap() {
                interface.as_object_mut().unwrap().remove("name");
            }
            let Value::Object(config) = &node.config else {
                panic!("{node:?}")
            };
            let config = json!({"nodeName": config["nodeName"], "instanceId": config["instanceId"],
                "interfaces": config["interfaces"]});
            assert_eq!(spec, config);
        }
        nodes.len()
    }
}

fn is_delivered(node: &Delivery) -> bool {
    node.state["state"] == "delivered" && node.state["deliveredRevision"] == node.revision
}

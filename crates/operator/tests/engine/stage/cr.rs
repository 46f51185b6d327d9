//! OpenstackConfigs as users write them.

use serde_json::{Value, json};

use super::cast::{BLUE, CLUSTER, PROJECT, PROVIDER, RED};

#[derive(Clone, Debug)]
pub struct Cr(Value);

impl Cr {
    /// On red; of the usual provider, project and cluster.
    pub fn red(name: &str, vms: &[&str]) -> Self {
        Self(json!({
            "apiVersion": "multinic.example.com/v1alpha1", "kind": "OpenstackConfig",
            "metadata": {"name": name},
            "spec": {"subnetID": RED, "vmNames": vms, "credentials": {
                "openstackProviderID": PROVIDER, "k8sProviderID": CLUSTER, "projectID": PROJECT}},
        }))
    }

    /// On blue.
    pub fn blue(name: &str, vms: &[&str]) -> Self {
        Self::red(name, vms).with("subnetID", BLUE)
    }

    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0["spec"][field] = value.into();
        self
    }

    pub fn credential(mut self, field: &str, value: &str) -> Self {
        self.0["spec"]["credentials"][field] = value.into();
        self
    }

    pub fn cluster(self, cluster: &str) -> Self {
        self.credential("k8sProviderID", cluster)
    }

    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap()
    }

    pub fn object(&self) -> Value {
        self.0.clone()
    }
}

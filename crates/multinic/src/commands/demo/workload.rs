//! A workload cluster: a small Kubernetes API into which the management API delivers.

use std::{fs, path::Path};

use kube::Client;
use multinic_lab_kubernetes::KubernetesLab;
use serde_json::Value;

use super::{
    files::NAMESPACE,
    hand::Hand,
    world::{PATIENCE, config},
};
use crate::failure::Failure;

/// Its objects, in full.
const OBJECTS: &str = "multinicnodeconfigs.multinic.io";

/// One cluster.
pub struct Workload {
    /// The value of `x-provider-id`.
    pub id: &'static str,
    pub hand: Hand,
    kubernetes: KubernetesLab,
}

impl Workload {
    /// Starts it, and puts its kubeconfig where the management API looks for it: in a file that is named like the
    /// cluster.
    pub async fn start(id: &'static str, folder: &Path, user: &Hand) -> Result<Self, Failure> {
        let kubernetes = KubernetesLab::builder().patience(PATIENCE).start().await;
        let kubernetes = kubernetes.map_err(Failure::failed)?;
        let path = folder.join("kubeconfigs").join(id);
        fs::write(&path, kubernetes.kubeconfig()).map_err(Failure::failed)?;
        let client = Client::try_from(config(&kubernetes.kubeconfig()).await?).map_err(Failure::failed)?;
        Ok(Self {
            id,
            hand: user.elsewhere(&path, client),
            kubernetes,
        })
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        self.kubernetes.url()
    }

    /// Waits until a node's object has so many interfaces.
    pub async fn until_object(&self, node: &str, interfaces: usize) -> Result<(), Failure> {
        let definitions = "customresourcedefinitions.apiextensions.k8s.io";
        let installed = self.kubernetes.until(definitions, "", OBJECTS, |found| found.is_some());
        installed.await.map_err(Failure::failed)?;
        let has = |object: Option<&Value>| {
            let list = object.and_then(|object| object["spec"]["interfaces"].as_array());
            list.is_some_and(|list| list.len() == interfaces)
        };
        let waited = self.kubernetes.until(OBJECTS, NAMESPACE, node, has).await;
        waited.map(drop).map_err(Failure::failed)
    }
}

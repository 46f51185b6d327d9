//! From the POST to the object in the workload cluster.

use std::{fs, path::Path, time::Instant};

use multinic_lab_kubernetes::KubernetesLab;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    batch::batch,
    figures, posts,
    server::Server,
    wire::{Wire, post},
};

const CLUSTER: &str = "workload";
const OBJECTS: &str = "multinicnodeconfigs.multinic.io";
const TIMES: usize = 100;
const ALL: usize = 10_000;

/// A small Kubernetes API in this process.
pub struct Workload {
    lab: KubernetesLab,
    kubeconfigs: TempDir,
}

impl Workload {
    pub async fn start() -> Self {
        let lab = KubernetesLab::builder().start().await.unwrap();
        let kubeconfigs = tempfile::tempdir().unwrap();
        fs::write(kubeconfigs.path().join(CLUSTER), lab.kubeconfig()).unwrap();
        Self { lab, kubeconfigs }
    }

    pub fn kubeconfigs(&self) -> &Path {
        self.kubeconfigs.path()
    }

    /// One node at a time.
    pub async fn measure(&self, server: &Server) {
        let url = format!("http://{}/v1/k8s/multinic/providers/{CLUSTER}", server.address);
        let settings = json!({"delivery": {"target": {"kind": "kubeconfig", "name": CLUSTER}}});
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.put(url).json(&settings).send().await.unwrap();
        assert!(answer.status().is_success());
        let mut wire = Wire::open(server.address).await;
        let mut times = Vec::new();
        for number in 0..=TIMES {
            let request = post(CLUSTER, &batch(number..number + 1, 1500));
            let begun = Instant::now();
            posts::time(&mut wire, &request).await;
            self.arrives(number).await;
            times.push(begun.elapsed());
        }
        // The first one finds no kind there and brings it.
        times.remove(0);
        figures::print("POST to the object in the cluster", times);
    }

    /// All nodes, in batches, until the last is delivered.
    pub async fn fill(&self, server: &Server) {
        let mut wire = Wire::open(server.address).await;
        let begun = Instant::now();
        for first in (0..ALL).step_by(posts::NODES) {
            let request = post(CLUSTER, &batch(first..first + posts::NODES, 1400));
            posts::time(&mut wire, &request).await;
        }
        let url = format!("http://{}/v1/k8s/multinic/providers/{CLUSTER}", server.address);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        loop {
            let provider: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
            if provider["undelivered"] == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        println!(
            "10,000 nodes posted and delivered in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
    }

    async fn arrives(&self, number: usize) {
        let definitions = "customresourcedefinitions.apiextensions.k8s.io";
        let is_there = |object: Option<&Value>| object.is_some();
        self.lab.until(definitions, "", OBJECTS, is_there).await.unwrap();
        let node = format!("worker-{number}");
        self.lab
            .until(OBJECTS, "multinic-system", &node, is_there)
            .await
            .unwrap();
    }
}

//! A server, its folder of kubeconfigs, and clusters.

use std::{fs, time::Duration};

use jiff::SignedDuration;
use multinic_lab_kubernetes::KubernetesLab;
use multinic_management_api::{
    delivery::{Backoff, DeliveryOptions},
    server::Options,
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    api::{Answer, Api, NODES, PROVIDERS, send},
    database::TestDatabase,
};

pub const OBJECTS: &str = "multinicnodeconfigs.multinic.io";
pub const NAMESPACE: &str = "multinic-system";

/// The folder of kubeconfigs.
#[derive(Debug)]
pub struct Kubeconfigs(TempDir);

impl Kubeconfigs {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// As a mounted Secret changes: all at once.
    pub fn put(&self, name: &str, text: &str) {
        let new = self.0.path().join(".new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.0.path().join(name)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.0.path().join(name)).unwrap();
    }

    /// Everything but waiting as it is by default.
    pub fn options(&self) -> DeliveryOptions {
        DeliveryOptions {
            kubeconfigs: Some(self.0.path().to_owned()),
            poll: Duration::from_millis(10),
            backoff: Backoff {
                first: Duration::from_millis(10),
                most: Duration::from_millis(40),
            },
            lease: SignedDuration::from_secs(20),
            ..DeliveryOptions::default()
        }
    }

    pub async fn serve(&self, database: &TestDatabase) -> Api {
        self.serve_with(database, |_| {}).await
    }

    pub async fn serve_with(&self, database: &TestDatabase, change: impl FnOnce(&mut DeliveryOptions)) -> Api {
        let mut delivery = self.options();
        change(&mut delivery);
        Api::start_with(database, |options: &mut Options| options.delivery = delivery).await
    }
}

/// One cluster `biz-1`, reached by a kubeconfig of that name.
pub async fn one_cluster() -> (KubernetesLab, Kubeconfigs) {
    let lab = KubernetesLab::builder().start().await.unwrap();
    let kubeconfigs = Kubeconfigs::new();
    kubeconfigs.put("biz-1", &lab.kubeconfig());
    (lab, kubeconfigs)
}

pub async fn post(api: &Api, cluster: &str, nodes: &[Value]) -> Answer {
    let answer = send(api.request_of(cluster, Method::POST, NODES).json(&nodes)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Waits for a node's object with that many interfaces.
pub async fn object_with(lab: &KubernetesLab, node: &str, interfaces: usize) -> Value {
    until_kind(lab).await;
    let has = |object: Option<&Value>| {
        object.is_some_and(|object| object["spec"]["interfaces"].as_array().unwrap().len() == interfaces)
    };
    lab.until(OBJECTS, NAMESPACE, node, has).await.unwrap()
}

pub async fn no_object(lab: &KubernetesLab, node: &str) {
    until_kind(lab).await;
    lab.until(OBJECTS, NAMESPACE, node, |object| object.is_none())
        .await
        .unwrap();
}

/// The kind is there once the first delivery has installed it.
async fn until_kind(lab: &KubernetesLab) {
    let definition = "multinicnodeconfigs.multinic.io";
    let definitions = "customresourcedefinitions.apiextensions.k8s.io";
    lab.until(definitions, "", definition, |found| found.is_some())
        .await
        .unwrap();
}

/// Asks until the node's delivery is as expected; without a limit of its own, the test runner has one.
pub async fn delivery(api: &Api, node: &str, expected: impl Fn(&Value) -> bool) -> Value {
    loop {
        let answer = api.get(&format!("{NODES}/{node}")).await;
        if expected(&answer.json["delivery"]) {
            return answer.json["delivery"].clone();
        }
        tokio::task::yield_now().await;
    }
}

pub async fn delivered(api: &Api, node: &str, revision: u64) -> Value {
    delivery(api, node, |found| {
        found["state"] == "delivered" && found["deliveredRevision"] == revision
    })
    .await
}

/// Until nothing of the cluster waits any more.
pub async fn all_delivered(api: &Api, cluster: &str) {
    loop {
        let answer = api.get(&format!("{PROVIDERS}/{cluster}")).await;
        if answer.json["undelivered"] == 0 && answer.json["target"]["state"] == "working" {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Until the page of metrics has this line.
pub async fn until_metric(api: &Api, line: &str) {
    loop {
        let page = api.get("/metrics").await.json;
        if page.as_str().unwrap().lines().any(|found| found == line) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub async fn set_delivery(api: &Api, cluster: &str, delivery: Value) {
    let answer = api
        .put(&format!("{PROVIDERS}/{cluster}"), &json!({"delivery": delivery}))
        .await;
    assert!(answer.status.is_success(), "{answer:?}");
}

/// The requests that change objects.
pub fn writes(lab: &KubernetesLab) -> Vec<(&'static str, String, u16)> {
    let requests = lab.requests().into_iter();
    requests
        .filter(|request| {
            request.resource == "multinicnodeconfigs" && !["get", "list", "watch"].contains(&request.verb)
        })
        .map(|request| (request.verb, request.name, request.status))
        .collect()
}

//! A small Kubernetes API for the tests of the operator's edges.

#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use multinic_lab_kubernetes::KubernetesLab;
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

/// The operator's namespace.
pub const NAMESPACE: &str = "multinic-system";

/// Only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server with the users `a`, `b` and `c` and the operator's namespace.
pub async fn lab() -> KubernetesLab {
    let mut builder = KubernetesLab::builder();
    for user in ["a", "b", "c"] {
        builder = builder.user(user, &format!("{user}-token"));
    }
    let lab = builder.start().await.unwrap();
    lab.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
        .unwrap();
    lab
}

/// How a user reaches the server.
pub async fn config_of(lab: &KubernetesLab, user: &str) -> Config {
    let kubeconfig = Kubeconfig::from_yaml(&lab.kubeconfig_of(user)).unwrap();
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap()
}

/// A client of the administrator, without our layers.
pub async fn admin(lab: &KubernetesLab) -> Client {
    Client::try_from(config_of(lab, "admin").await).unwrap()
}

/// Waits until what is watched is as expected.
pub async fn until<T: Clone>(state: &mut watch::Receiver<T>, expected: impl FnMut(&T) -> bool) -> T {
    let found = timeout(PATIENCE, state.wait_for(expected))
        .await
        .expect("it never happened");
    found.unwrap().clone()
}

/// Settings that can be used, with one secret.
pub fn settings(interval: &str) -> String {
    format!(
        "contrabass:\n  endpoint: http://127.0.0.1:9\n  password: {{key: {{secret: contrabass, key: encryptionKey}}}}\n\
         managementApi: {{endpoint: 'http://127.0.0.1:9'}}\nsync: {{interval: {interval}}}\n"
    )
}

/// Puts the settings into the operator's ConfigMap.
pub fn put_settings(lab: &KubernetesLab, text: &str) {
    lab.apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "multinic-operator-config", "namespace": NAMESPACE},
        "data": {"config.yaml": text},
    }))
    .unwrap();
}

/// Puts one key into a Secret.
pub fn put_secret(lab: &KubernetesLab, name: &str, key: &str, base64: &str) {
    lab.apply(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {key: base64},
    }))
    .unwrap();
}

/// Events of the namespace: reason and note.
pub fn events(lab: &KubernetesLab) -> Vec<(String, String)> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let events = lab.list("events.events.k8s.io", Some(NAMESPACE)).unwrap();
    events
        .iter()
        .map(|event| (text(event, "reason"), text(event, "note")))
        .collect()
}

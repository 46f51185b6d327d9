//! A server with the product's definition and a namespace, and clients for it.

#![allow(dead_code, reason = "each test file uses a part")]

use kube::{Api, Client, Config, api::DynamicObject, config::Kubeconfig, discovery::ApiResource};
use multinic_lab_kubernetes::{KubernetesLab, KubernetesLabBuilder};
use serde_json::{Value, json};

pub const NAMESPACE: &str = "multinic-system";
pub const CONFIGS: &str = "openstackconfigs.multinic.example.com";

pub const DEFINITION: &str = include_str!("../../../../deploy/crds/openstackconfigs.multinic.example.com.yaml");

pub async fn lab() -> KubernetesLab {
    lab_of(KubernetesLab::builder()).await
}

pub async fn lab_of(builder: KubernetesLabBuilder) -> KubernetesLab {
    let lab = builder.user("operator", "operator-token").start().await.unwrap();
    lab.apply_yaml(DEFINITION).unwrap();
    lab.apply_yaml(&format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}"
    ))
    .unwrap();
    lab
}

pub async fn client(lab: &KubernetesLab) -> Client {
    client_of(lab, "operator").await
}

pub async fn client_of(lab: &KubernetesLab, user: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&lab.kubeconfig_of(user)).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

pub fn configs_resource() -> ApiResource {
    ApiResource {
        group: "multinic.example.com".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "multinic.example.com/v1alpha1".to_owned(),
        kind: "OpenstackConfig".to_owned(),
        plural: "openstackconfigs".to_owned(),
    }
}

pub fn configs(client: &Client) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), NAMESPACE, &configs_resource())
}

pub fn config(name: &str) -> DynamicObject {
    serde_json::from_value(config_json(name)).unwrap()
}

pub fn config_json(name: &str) -> Value {
    json!({
        "apiVersion": "multinic.example.com/v1alpha1",
        "kind": "OpenstackConfig",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "subnetID": "subnet-uuid",
            "vmNames": ["worker-1", "worker-2"],
            "credentials": {
                "openstackProviderID": "a919ea1c-9a09-4a9f-9021-ec68c1de2159",
                "projectID": "df64928216f740d3a6b84a66fa30b649",
            },
        },
    })
}

pub fn status(message: &str) -> Value {
    json!({
        "apiVersion": "multinic.example.com/v1alpha1",
        "kind": "OpenstackConfig",
        "status": {
            "observedGeneration": 1,
            "nodeCount": 2,
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "Synced", "message": message,
                "lastTransitionTime": "2026-01-08T00:00:00Z",
            }],
        },
    })
}

/// The status code that an error of the client carries.
pub fn code<T: std::fmt::Debug>(result: Result<T, kube::Error>) -> u16 {
    match result.unwrap_err() {
        kube::Error::Api(status) => status.code,
        other => panic!("no status: {other}"),
    }
}

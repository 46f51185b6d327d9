//! The Kubernetes API of a test: the lab's, or a real one.

use std::{env, path::Path, time::Duration};

use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::{await_condition, conditions::is_crd_established},
};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_model::crds::Crd;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::LIMIT;

/// One API server and a namespace of its own.
pub struct Kubernetes {
    /// The user's.
    pub client: Client,
    pub namespace: String,
    /// `None` on a real cluster.
    pub lab: Option<KubernetesLab>,
}

impl Kubernetes {
    pub async fn start() -> Self {
        let lab = match env::var_os("MULTINIC_TEST_KUBECONFIG") {
            Some(_) => None,
            None => Some(
                KubernetesLab::builder()
                    .user("operator", "operator-token")
                    .start()
                    .await
                    .unwrap(),
            ),
        };
        let client = client(lab.as_ref(), "admin").await;
        install(&client).await;
        let namespace = namespace(&client).await;
        Self { client, namespace, lab }
    }

    /// A client of the operator, with connections of its own.
    pub async fn operator(&self) -> Client {
        client(self.lab.as_ref(), "operator").await
    }

    /// Waits until the lab's API holds a request.
    pub async fn hanging(&self) {
        let lab = self.lab.as_ref().unwrap();
        let mut look = tokio::time::interval(Duration::from_millis(1));
        let hangs = async {
            while !lab.requests().iter().any(|request| request.faulted) {
                look.tick().await;
            }
        };
        assert!(timeout(LIMIT, hangs).await.is_ok(), "the moment does not come");
    }

    pub async fn delete_namespace(&self) {
        let api: Api<Namespace> = Api::all(self.client.clone());
        api.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
    }
}

async fn client(lab: Option<&KubernetesLab>, user: &str) -> Client {
    let file = match lab {
        Some(lab) => Kubeconfig::from_yaml(&lab.kubeconfig_of(user)).unwrap(),
        None => Kubeconfig::read_from(Path::new(&env::var_os("MULTINIC_TEST_KUBECONFIG").unwrap())).unwrap(),
    };
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await.unwrap();
    Client::try_from(config).unwrap()
}

async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = Crd::OpenstackConfig.definition();
    let name = definition.metadata.name.clone().unwrap();
    let params = PatchParams::apply("multinic-tests").force();
    let applied = api.patch(&name, &params, &Patch::Apply(json!(definition))).await;
    if applied.is_err_and(|error| {
        error
            .to_string()
            .contains("x-kubernetes-validations: field not declared")
    }) {
        let plain = Patch::Apply(without_rules(json!(definition)));
        api.patch(&name, &params, &plain).await.unwrap();
    }
    await_condition(api, &name, is_crd_established()).await.unwrap();
}

/// For servers before 1.25, which have no CEL rules. They are no matter of the engine.
fn without_rules(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.remove("x-kubernetes-validations");
            fields
                .values_mut()
                .for_each(|field| *field = without_rules(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_rules(item.take())),
        _ => {}
    }
    value
}

async fn namespace(client: &Client) -> String {
    let api: Api<Namespace> = Api::all(client.clone());
    let object = serde_json::from_value(json!({"metadata": {"generateName": "multinic-test-"}})).unwrap();
    let made = api.create(&PostParams::default(), &object).await.unwrap();
    made.metadata.name.unwrap()
}

//! The Kubernetes API of a test: the lab's, or a real one.

use std::{env, path::Path};

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
use serde_json::json;

/// One API server and a namespace of its own.
pub struct Kubernetes {
    pub client: Client,
    pub namespace: String,
    /// `None` on a real cluster.
    pub lab: Option<KubernetesLab>,
}

impl Kubernetes {
    pub async fn start() -> Self {
        let (file, lab) = match env::var_os("MULTINIC_TEST_KUBECONFIG") {
            Some(path) => (Kubeconfig::read_from(Path::new(&path)).unwrap(), None),
            None => {
                let lab = KubernetesLab::builder().start().await.unwrap();
                (Kubeconfig::from_yaml(&lab.kubeconfig()).unwrap(), Some(lab))
            }
        };
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .unwrap();
        let client = Client::try_from(config).unwrap();
        install(&client).await;
        let namespace = namespace(&client).await;
        Self { client, namespace, lab }
    }

    pub async fn delete_namespace(&self) {
        let api: Api<Namespace> = Api::all(self.client.clone());
        api.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
    }
}

async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = Crd::OpenstackConfig.definition();
    let name = definition.metadata.name.clone().unwrap();
    let params = PatchParams::apply("multinic-tests").force();
    api.patch(&name, &params, &Patch::Apply(definition)).await.unwrap();
    await_condition(api, &name, is_crd_established()).await.unwrap();
}

async fn namespace(client: &Client) -> String {
    let api: Api<Namespace> = Api::all(client.clone());
    let object = serde_json::from_value(json!({"metadata": {"generateName": "multinic-test-"}})).unwrap();
    let made = api.create(&PostParams::default(), &object).await.unwrap();
    made.metadata.name.unwrap()
}

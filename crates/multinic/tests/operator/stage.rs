//! A cloud, a management API and a Kubernetes API for replicas of the operator.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver, SEED_PROJECT, SEED_PROVIDER};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_model::crds::Crd;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The operator's namespace, and that of the OpenstackConfigs.
pub const NAMESPACE: &str = "multinic-system";
pub const CONFIGS: &str = "openstackconfigs.multinic.example.com";
pub const CLUSTER: &str = "biz-1";
/// The OpenstackConfig that most tests are about.
pub const NAME: &str = "biz";

/// Only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Everything around the operator.
pub struct Stage {
    pub kubernetes: KubernetesLab,
    pub lab: Lab,
    pub receiver: Receiver,
    pub folder: TempDir,
    started: AtomicUsize,
}

impl Stage {
    /// Subnets red and blue; vm-1, vm-2 and vm-3 with two ports on red and one on blue each. The settings are in force
    /// and make no resync before the end of the test.
    pub async fn new() -> Self {
        let mut kubernetes = KubernetesLab::builder().patience(PATIENCE);
        for user in ["a", "b"] {
            kubernetes = kubernetes.user(user, &format!("{user}-token"));
        }
        let stage = Self {
            kubernetes: kubernetes.start().await.unwrap(),
            lab: Lab::start(cloud()).unwrap(),
            receiver: Receiver::start().unwrap(),
            folder: TempDir::new().unwrap(),
            started: AtomicUsize::new(0),
        };
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        let definition = serde_json::to_value(Crd::OpenstackConfig.definition()).unwrap();
        for object in [namespace, definition] {
            stage.kubernetes.apply(object).unwrap();
        }
        stage.set_key(DEMO_ENCRYPTION_KEY);
        stage.set("interval: 1h");
        stage
    }

    /// Puts the settings, with these keys below `sync:`.
    pub fn set(&self, sync: &str) {
        self.set_at(&self.receiver.url(), "", sync);
    }

    /// The same with another management API, and these keys below `managementApi:`.
    pub fn set_at(&self, management_api: &str, keys: &str, sync: &str) {
        // Plain HTTP everywhere: reading the system's certificates would take most of the time of a start.
        let common = "timeout: 5m, tls: {insecureSkipVerify: true}";
        let text = format!(
            "contrabass: {{endpoint: '{}', {common}, password: {{key: {{secret: contrabass, key: encryptionKey}}}}}}\n\
             openstack: {{requestsPerSecond: 1000, {common}}}\n\
             managementApi: {{endpoint: '{management_api}', batchSize: 1, {common}{keys}}}\n\
             sync: {{{sync}, confirmationPause: 10ms}}\n",
            self.lab.contrabass_url(),
        );
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "multinic-operator-config", "namespace": NAMESPACE},
            "data": {"config.yaml": text},
        });
        self.kubernetes.apply(map).unwrap();
    }

    /// Puts the Secret with the key of Contrabass' passwords.
    pub fn set_key(&self, key: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "contrabass", "namespace": NAMESPACE},
            "stringData": {"encryptionKey": key},
        });
        self.kubernetes.apply(secret).unwrap();
    }

    /// Puts the OpenstackConfig on that subnet for these VMs.
    pub fn put(&self, subnet: &str, vms: &[&str]) {
        let config = json!({
            "apiVersion": "multinic.example.com/v1alpha1", "kind": "OpenstackConfig",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"subnetID": subnet, "vmNames": vms, "credentials": {
                "openstackProviderID": SEED_PROVIDER, "k8sProviderID": CLUSTER, "projectID": SEED_PROJECT}},
        });
        self.kubernetes.apply(config).unwrap();
    }

    /// Deletes it as a user does.
    pub fn delete(&self) {
        assert!(self.kubernetes.delete(CONFIGS, NAMESPACE, NAME).unwrap());
    }

    /// The OpenstackConfig as it is; null if there is none.
    pub fn config(&self) -> Value {
        let found = self.kubernetes.get(CONFIGS, NAMESPACE, NAME).unwrap();
        found.unwrap_or_default()
    }

    /// Waits until the OpenstackConfig (null for none) is as expected.
    pub async fn until(&self, expected: impl Fn(&Value) -> bool) -> Value {
        let found = self.kubernetes.until(CONFIGS, NAMESPACE, NAME, |found| {
            expected(found.unwrap_or(&Value::Null))
        });
        found.await.unwrap()
    }

    /// Waits until it is Ready for its newest spec.
    pub async fn until_ready(&self) -> Value {
        self.until(is_ready).await
    }

    /// `{nodeName: {mac: id}}` of every node that has an interface.
    pub fn delivered(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let nodes = self.receiver.node_configs(CLUSTER);
        let nodes = nodes
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, node)| (name.clone(), ids(node)));
        nodes.filter(|(_, ids)| !ids.is_empty()).collect()
    }

    /// The kubeconfig of a user.
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{user}.kubeconfig"));
        fs::write(&path, self.kubernetes.kubeconfig_of(user)).unwrap();
        path
    }

    /// Numbers things.
    pub fn count(&self) -> usize {
        self.started.fetch_add(1, Ordering::Relaxed)
    }
}

/// `{mac: id}` of one node config.
pub fn ids(node: &Value) -> BTreeMap<String, u64> {
    let interfaces = node["interfaces"].as_array().unwrap().iter();
    let pairs = interfaces.map(|nic| {
        (
            nic["macAddress"].as_str().unwrap().to_owned(),
            nic["id"].as_u64().unwrap(),
        )
    });
    pairs.collect()
}

/// Ready is True and speaks of the newest spec.
pub fn is_ready(config: &Value) -> bool {
    let ready = condition(config, "Ready");
    ready["status"] == "True" && ready["observedGeneration"] == config["metadata"]["generation"]
}

/// One condition; null if there is none.
pub fn condition<'a>(config: &'a Value, of: &str) -> &'a Value {
    let all = config["status"]["conditions"].as_array().into_iter().flatten();
    all.into_iter()
        .find(|condition| condition["type"] == of)
        .unwrap_or(&Value::Null)
}

fn cloud() -> CloudBuilder {
    let cloud = CloudBuilder::new().provider(SEED_PROVIDER).project(SEED_PROJECT, "biz");
    let cloud = cloud
        .network("red-net")
        .mtu(1450)
        .subnet("red", "10.1.0.0/24")
        .id("red");
    let cloud = cloud.network("blue-net").subnet("blue", "10.2.0.0/24").id("blue");
    ["vm-1", "vm-2", "vm-3"]
        .into_iter()
        .fold(cloud, |cloud, vm| cloud.vm(vm).port("red").port("red").port("blue"))
}

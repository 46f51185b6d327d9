//! A cloud, a management API and a Kubernetes API in this process, for operators that run as processes of their own:
//! the ground of `bench-operator` and `soak`.

mod replica;
mod usage;

use std::{error::Error, fs, path::PathBuf, sync::Arc, time::Duration};

use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_model::crds::Crd;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use replica::{Replica, Signal};
pub use usage::Usage;

/// What everything here may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The operator's namespace.
pub const NAMESPACE: &str = "multinic-system";
/// The resource of the OpenstackConfigs.
pub const CONFIGS: &str = "openstackconfigs.multinic.example.com";
/// The users of the Kubernetes API that replicas can be.
pub const USERS: [&str; 2] = ["a", "b"];

/// Everything around the operator.
#[derive(Debug)]
pub struct Stage {
    /// The small Kubernetes API.
    pub kubernetes: Arc<KubernetesLab>,
    /// Contrabass and OpenStack.
    pub lab: Lab,
    /// The management API.
    pub receiver: Receiver,
    /// For kubeconfigs and logs.
    pub folder: TempDir,
    /// The keys below `rabbitmq:` of the settings.
    pub rabbitmq: String,
}

impl Stage {
    /// Starts all of it; `patience` is the longest wait for anything in the Kubernetes API.
    pub async fn start(cloud: CloudBuilder, patience: Duration) -> Result<Self, Failure> {
        let mut kubernetes = KubernetesLab::builder().patience(patience).history(200_000);
        for user in USERS {
            kubernetes = kubernetes.user(user, &format!("{user}-token"));
        }
        let stage = Self {
            kubernetes: Arc::new(kubernetes.start().await?),
            lab: Lab::start(cloud)?,
            receiver: Receiver::start()?,
            folder: tempfile::tempdir()?,
            rabbitmq: String::new(),
        };
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        let definition = serde_json::to_value(Crd::OpenstackConfig.definition())?;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "contrabass", "namespace": NAMESPACE},
            "stringData": {"encryptionKey": DEMO_ENCRYPTION_KEY},
        });
        for object in [namespace, definition, secret] {
            stage.kubernetes.apply(object)?;
        }
        Ok(stage)
    }

    /// Puts the settings: these keys below `openstack:` and `sync:`, and this time-out for every request.
    pub fn set(&self, openstack: &str, sync: &str, timeout: &str) -> Result<(), Failure> {
        let text = format!(
            "contrabass: {{endpoint: '{}', timeout: {timeout}, password: {{key: {{secret: contrabass, key: \
             encryptionKey}}}}}}\nopenstack: {{timeout: {timeout}, {openstack}}}\nmanagementApi: {{endpoint: '{}', \
             timeout: {timeout}}}\nsync: {{{sync}}}\nrabbitmq: {{{}}}\n",
            self.lab.contrabass_url(),
            self.receiver.url(),
            self.rabbitmq,
        );
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "multinic-operator-config", "namespace": NAMESPACE},
            "data": {"config.yaml": text},
        });
        self.kubernetes.apply(map)?;
        Ok(())
    }

    /// Writes the kubeconfig of a user.
    pub fn kubeconfig(&self, user: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.path().join(format!("{user}.kubeconfig"));
        fs::write(&path, self.kubernetes.kubeconfig_of(user))?;
        Ok(path)
    }

    /// Waits until this condition of the named OpenstackConfigs is True for their newest spec.
    pub async fn until(&self, condition: &str, names: impl IntoIterator<Item = &String>) -> Result<(), Failure> {
        for name in names {
            let holds = |config: Option<&Value>| config.is_some_and(|config| holds(config, condition));
            self.kubernetes.until(CONFIGS, NAMESPACE, name, holds).await?;
        }
        Ok(())
    }
}

/// A condition is True and speaks of the newest spec.
pub fn holds(config: &Value, condition: &str) -> bool {
    let conditions = config["status"]["conditions"].as_array().into_iter().flatten();
    let mut of_type = conditions.filter(|found| found["type"] == condition);
    of_type.any(|found| found["status"] == "True" && found["observedGeneration"] == config["metadata"]["generation"])
}

/// One OpenstackConfig.
pub fn config(name: &str, subnet: &str, vms: &[String], provider: &str, project: &str, cluster: &str) -> Value {
    json!({
        "apiVersion": "multinic.example.com/v1alpha1", "kind": "OpenstackConfig",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"subnetID": subnet, "vmNames": vms, "credentials": {
            "openstackProviderID": provider, "k8sProviderID": cluster, "projectID": project}},
    })
}

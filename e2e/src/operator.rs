//! The real `multinic operator` as a process of its own, on a small Kubernetes API.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use multinic_lab_kubernetes::KubernetesLab;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    Failure,
    seal::PASSPHRASE,
    world::{BEARER, Settings, World},
};

const NAMESPACE: &str = "multinic-system";
const CONFIGS: &str = "openstackconfigs.multinic.example.com";
const CRD: &str = include_str!("../../deploy/crds/openstackconfigs.multinic.example.com.yaml");
const PATIENCE: Duration = Duration::from_mins(1);

/// See the module.
pub struct Operator<'a> {
    world: &'a World,
    kubernetes: KubernetesLab,
    child: Child,
}

impl<'a> Operator<'a> {
    /// Installs namespace, CRD, Secret and settings, and starts the process.
    pub async fn start(world: &'a World) -> Result<Self, Failure> {
        Self::start_with(world, &world.settings()).await
    }

    /// The same with other settings.
    pub async fn start_with(world: &'a World, given: &Settings) -> Result<Self, Failure> {
        let kubernetes = KubernetesLab::builder().patience(PATIENCE).start().await?;
        kubernetes.apply_yaml(CRD)?;
        let kind = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}});
        let mut secret = kind("Secret", "e2e");
        secret["stringData"] = json!({"E2E_BEARER": BEARER, "E2E_KEY": PASSPHRASE});
        let mut settings = kind("ConfigMap", "multinic-operator-config");
        settings["data"] = json!({"config.yaml": given.in_kubernetes()});
        kubernetes.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))?;
        for object in [secret, settings] {
            kubernetes.apply(object)?;
        }
        let kubeconfig = world.folder().join("kubeconfig");
        fs::write(&kubeconfig, kubernetes.kubeconfig())?;
        let child = Command::new(world.binary())
            .args([
                "operator",
                "--namespace",
                NAMESPACE,
                "--listen",
                "off",
                "-vvvv",
                "--kubeconfig",
            ])
            .arg(kubeconfig)
            .current_dir(world.folder())
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(fs::File::create(world.folder().join("operator.log"))?)
            .spawn()?;
        Ok(Self {
            world,
            kubernetes,
            child,
        })
    }

    /// Creates or changes an OpenstackConfig and waits until it is Ready. Returns its name.
    pub async fn ready(&self, config: &str) -> Result<String, Failure> {
        let applied = self.kubernetes.apply_yaml(config)?;
        let name = applied.first().and_then(|object| object["metadata"]["name"].as_str());
        let name = name.ok_or("the config has no name")?.to_owned();
        self.kubernetes.until(CONFIGS, NAMESPACE, &name, is_ready).await?;
        Ok(name)
    }

    /// Waits until a condition of an OpenstackConfig is True.
    pub async fn says(&self, name: &str, condition: &str) -> Result<(), Failure> {
        let holds = |config: Option<&Value>| is_true(config, condition);
        self.kubernetes.until(CONFIGS, NAMESPACE, name, holds).await?;
        Ok(())
    }

    /// Deletes an OpenstackConfig and waits until it is gone.
    pub async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.kubernetes.delete(CONFIGS, NAMESPACE, name)?;
        let gone = self
            .kubernetes
            .until(CONFIGS, NAMESPACE, name, |object| object.is_none());
        gone.await.map(drop).map_err(Into::into)
    }

    /// Waits until the management API holds exactly this for the cluster; says how long that took.
    pub async fn delivers(&self, cluster: &str, nodes: &Value) -> Result<Duration, Failure> {
        let began = Instant::now();
        let wait = timeout(PATIENCE, self.world.stand_ins.until_holds(cluster, nodes));
        wait.await.map_err(|_| {
            format!(
                "never delivered\n  expected {nodes}\n  found    {}",
                self.world.stand_ins.node_configs(cluster)
            )
        })?;
        Ok(began.elapsed())
    }

    /// SIGTERM: it must end by itself, with exit code 0.
    pub async fn stop(mut self) -> Result<(), Failure> {
        let kill = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status()?;
        let mut child = std::mem::replace(&mut self.child, Command::new("true").spawn()?);
        let ended = tokio::task::spawn_blocking(move || child.wait());
        let status = timeout(PATIENCE, ended)
            .await
            .map_err(|_| "the operator did not end after SIGTERM")???;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the operator ended with {status} after SIGTERM").into())
        }
    }
}

impl Drop for Operator<'_> {
    fn drop(&mut self) {
        // It has ended already, unless a check failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = fs::read_to_string(self.world.folder().join("operator.log"));
        self.world.heard(&log.unwrap_or_default());
    }
}

fn is_ready(config: Option<&Value>) -> bool {
    is_true(config, "Ready")
}

/// A condition is True, and for the newest version of the spec.
fn is_true(config: Option<&Value>, wanted: &str) -> bool {
    let Some(config) = config else {
        return false;
    };
    let conditions = config["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == wanted
            && condition["status"] == "True"
            && condition["observedGeneration"] == config["metadata"]["generation"]
    })
}

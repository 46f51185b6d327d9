//! A cluster that deploy/ was applied to.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use multinic_lab_kubernetes::KubernetesLab;
use serde_json::Value;
use tempfile::TempDir;

/// The operator's namespace.
pub const NAMESPACE: &str = "multinic-system";
/// The operator's objects all have this name.
pub const NAME: &str = "multinic-operator";

pub struct Cluster {
    pub lab: KubernetesLab,
    folder: TempDir,
}

impl Cluster {
    /// Empty.
    pub async fn new() -> Self {
        Self::of(KubernetesLab::builder().start().await.unwrap())
    }

    /// As it is.
    pub fn of(lab: KubernetesLab) -> Self {
        let cluster = Self {
            lab,
            folder: TempDir::new().unwrap(),
        };
        std::fs::write(cluster.folder.path().join("kubeconfig"), cluster.lab.kubeconfig()).unwrap();
        cluster
    }

    /// With deploy/.
    pub async fn installed() -> Self {
        let cluster = Self::new().await;
        cluster.kubectl(&["apply", "-k", "deploy"]).await;
        cluster
    }

    /// What kubectl prints, run at the root of the repository.
    pub async fn kubectl(&self, args: &[&str]) -> String {
        self.run("kubectl", args).await
    }

    /// What a program prints that finds the cluster as kubectl does, run at the root of the repository.
    pub async fn run(&self, program: &str, args: &[&str]) -> String {
        let (succeeded, said) = self.try_run(program, args).await;
        assert!(succeeded, "{program} {args:?}: {said}");
        said
    }

    /// As [`run`](Self::run): whether it succeeded, and its output or what it says about its failure.
    pub async fn try_run(&self, program: &str, args: &[&str]) -> (bool, String) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .canonicalize()
            .unwrap();
        let program = if program.contains('/') {
            root.join(program)
        } else {
            program.into()
        };
        let mut command = Command::new(program);
        command
            .args(args)
            .arg("--cache-dir")
            .arg(self.folder.path().join("cache"))
            .current_dir(root)
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        let output = output.expect("kubectl is installed (scripts/need.sh kubectl)");
        let succeeded = output.status.success();
        let said = if succeeded { output.stdout } else { output.stderr };
        (succeeded, String::from_utf8(said).unwrap())
    }

    /// An object of the operator's namespace.
    pub fn get(&self, resource: &str, name: &str) -> Value {
        let found = self.lab.get(resource, NAMESPACE, name).unwrap();
        found.unwrap_or_else(|| panic!("no {resource} {name}"))
    }

    /// The operator's Deployment.
    pub fn deployment(&self) -> Value {
        self.get("deployments.apps", NAME)
    }

    /// The only container of the operator's pod.
    pub fn container(&self) -> Value {
        container(&self.deployment())
    }
}

/// The only container of a Deployment's pod.
pub fn container(deployment: &Value) -> Value {
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers.as_array().unwrap().len(), 1);
    containers[0].clone()
}

/// `multinic ARGS`: exit code, and both outputs.
pub fn multinic(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_multinic"))
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// The texts of a list.
pub fn texts(list: &Value) -> Vec<String> {
    let values = list.as_array().into_iter().flatten();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

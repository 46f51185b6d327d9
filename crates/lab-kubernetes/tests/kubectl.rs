//! What people do with kubectl, with whatever `kubectl` is on the PATH (or `MULTINIC_KUBECTL`): 1.20 and 1.32 were tried.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::{path::PathBuf, process::Output};

use multinic_lab_kubernetes::KubernetesLab;
use serde_json::{Value, json};
use support::{CONFIGS, DEFINITION, NAMESPACE};
use tempfile::TempDir;
use tokio::process::Command;

struct Kubectl {
    lab: KubernetesLab,
    folder: TempDir,
}

const NAME: &str = "openstackconfig-sample-contrabass-1";

impl Kubectl {
    async fn new() -> Self {
        let lab = KubernetesLab::builder().start().await.unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("kubeconfig"), lab.kubeconfig()).unwrap();
        Self { lab, folder }
    }

    fn command(&self, arguments: &str) -> Command {
        let program = std::env::var("MULTINIC_KUBECTL").unwrap_or_else(|_| "kubectl".to_owned());
        let mut command = Command::new(program);
        command
            .args(arguments.split_whitespace())
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("HOME", self.folder.path())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &str) -> Output {
        let output = self.command(arguments).output().await;
        output.unwrap_or_else(|error| {
            panic!("kubectl cannot be run ({error}); install it: apt-get install kubernetes-client, or set MULTINIC_KUBECTL")
        })
    }

    /// Runs a command that must succeed; what it printed.
    async fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments).await;
        assert!(
            output.status.success(),
            "kubectl {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail; what it complained of.
    async fn fails(&self, arguments: &str) -> String {
        let output = self.run(arguments).await;
        assert!(
            !output.status.success(),
            "kubectl {arguments}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8(output.stderr).unwrap()
    }

    async fn with_sample(&self) {
        self.lab.apply_yaml(DEFINITION).unwrap();
        self.ok(&format!("create ns {NAMESPACE}")).await;
        self.ok(&format!("apply -f {}", sample())).await;
    }

    fn sample_object(&self) -> Value {
        self.lab.get(CONFIGS, NAMESPACE, NAME).unwrap().unwrap()
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sample() -> String {
    repository()
        .join("deploy/samples/openstackconfig.yaml")
        .display()
        .to_string()
}

#[tokio::test]
async fn the_whole_deployment_is_applied_and_deleted() {
    let kubectl = Kubectl::new().await;
    let folder = repository().join("deploy").display().to_string();
    kubectl.ok(&format!("apply -k {folder}")).await;
    let wait = "wait --for=condition=Established --timeout=30s crd/openstackconfigs.multinic.example.com";
    kubectl.ok(wait).await;
    let version = kubectl
        .lab
        .get("deployments.apps", NAMESPACE, "multinic-operator")
        .unwrap()
        .unwrap()["metadata"]["resourceVersion"]
        .clone();
    kubectl.ok(&format!("apply -k {folder}")).await;
    let again = kubectl
        .lab
        .get("deployments.apps", NAMESPACE, "multinic-operator")
        .unwrap()
        .unwrap();
    assert_eq!(again["metadata"]["resourceVersion"], version);
    kubectl.ok(&format!("delete --ignore-not-found -k {folder}")).await;
    assert_eq!(kubectl.lab.get("namespaces", "", NAMESPACE).unwrap(), None);
}

#[tokio::test]
async fn a_config_is_shown_as_the_definition_says() {
    let kubectl = Kubectl::new().await;
    kubectl.with_sample().await;
    let table = kubectl.ok(&format!("-n {NAMESPACE} get osc")).await;
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["NAME", "READY", "NODES", "INTERFACES", "LAST-SYNC", "AGE"]);
    assert!(table.lines().nth(1).unwrap().starts_with(NAME), "{table}");
    for form in ["-o wide", "-o yaml", "-o json", "-o name", "--show-labels"] {
        assert!(
            kubectl
                .ok(&format!("get openstackconfigs -A {form}"))
                .await
                .contains(NAME),
            "{form}"
        );
    }
    assert!(
        kubectl
            .ok(&format!("-n {NAMESPACE} describe osc {NAME}"))
            .await
            .contains("Subnet Name:")
    );
    assert!(kubectl.ok("api-resources").await.contains("openstackconfigs"));
    assert!(kubectl.ok("get crd").await.contains(CONFIGS));
    kubectl.ok("get events -A").await;
}

#[tokio::test]
async fn a_config_is_changed_in_every_way() {
    let kubectl = Kubectl::new().await;
    kubectl.with_sample().await;
    let osc = format!("-n {NAMESPACE}");
    kubectl.ok(&format!("{osc} label osc {NAME} tier=gold")).await;
    kubectl.ok(&format!("{osc} annotate osc {NAME} note=x")).await;
    assert!(
        kubectl
            .ok(&format!("{osc} get osc -l tier=gold -o name"))
            .await
            .contains(NAME)
    );
    kubectl
        .ok(&format!(
            "{osc} patch osc {NAME} --type=merge -p {{\"spec\":{{\"subnetID\":\"other\"}}}}"
        ))
        .await;
    assert_eq!(kubectl.sample_object()["spec"]["subnetID"], "other");

    let conflict = kubectl.fails(&format!("apply --server-side -f {}", sample())).await;
    assert!(conflict.contains(".spec.subnetID"), "{conflict}");
    kubectl
        .ok(&format!("apply --server-side --force-conflicts -f {}", sample()))
        .await;
    assert_eq!(kubectl.sample_object()["spec"]["subnetID"], "subnet-uuid");

    let mut edit = kubectl.command(&format!("{osc} edit osc {NAME}"));
    edit.env("KUBE_EDITOR", "sed -i s/test-sub/edited/");
    assert!(edit.status().await.unwrap().success());
    assert_eq!(kubectl.sample_object()["spec"]["subnetName"], "edited");

    let invalid = kubectl
        .fails(&format!(
            "{osc} patch osc {NAME} --type=merge -p {{\"spec\":{{\"vmNames\":[]}}}}"
        ))
        .await;
    assert!(invalid.contains("should have at least 1 items"), "{invalid}");
}

#[tokio::test]
async fn a_deletion_waits_for_the_finalizer() {
    let kubectl = Kubectl::new().await;
    kubectl.with_sample().await;
    let mut object = support::config_json(NAME);
    object["metadata"]["finalizers"] = json!(["multinic.example.com/withdraw"]);
    kubectl.lab.apply(object).unwrap();
    let mut delete = kubectl
        .command(&format!("-n {NAMESPACE} delete osc {NAME} --wait"))
        .spawn()
        .unwrap();
    let deleted =
        |object: Option<&Value>| object.is_some_and(|object| !object["metadata"]["deletionTimestamp"].is_null());
    kubectl.lab.until(CONFIGS, NAMESPACE, NAME, deleted).await.unwrap();
    assert!(delete.try_wait().unwrap().is_none(), "it did not wait");
    kubectl.lab.apply(support::config_json(NAME)).unwrap();
    assert!(delete.wait().await.unwrap().success());
    assert_eq!(kubectl.lab.get(CONFIGS, NAMESPACE, NAME).unwrap(), None);
}

#[tokio::test]
async fn a_condition_is_waited_for() {
    let kubectl = Kubectl::new().await;
    kubectl.with_sample().await;
    let mut wait = kubectl
        .command(&format!(
            "-n {NAMESPACE} wait --for=condition=Ready --timeout=60s osc/{NAME}"
        ))
        .spawn()
        .unwrap();
    let is_watch = |request: &multinic_lab_kubernetes::LoggedRequest| request.verb == "watch";
    kubectl
        .lab
        .until_requests(|requests| requests.iter().any(is_watch))
        .await;
    let client = support::client_of(&kubectl.lab, "admin").await;
    let status = kube::api::Patch::Apply(support::status("ok"));
    support::configs(&client)
        .patch_status(NAME, &kube::api::PatchParams::apply("x").force(), &status)
        .await
        .unwrap();
    assert!(wait.wait().await.unwrap().success());
}

#[tokio::test]
async fn objects_are_created_from_arguments() {
    let kubectl = Kubectl::new().await;
    kubectl.ok("create ns demo").await;
    kubectl
        .ok("-n demo create secret generic s --from-literal=key=value")
        .await;
    kubectl.ok("-n demo create configmap c --from-literal=key=value").await;
    kubectl.ok("-n demo create serviceaccount a").await;
    assert_eq!(
        kubectl.lab.get("secrets", "demo", "s").unwrap().unwrap()["data"]["key"],
        "dmFsdWU="
    );
    assert_eq!(
        kubectl.lab.get("configmaps", "demo", "c").unwrap().unwrap()["data"]["key"],
        "value"
    );
    kubectl.ok("delete ns demo").await;
    assert_eq!(kubectl.lab.get("serviceaccounts", "demo", "a").unwrap(), None);
}

#[tokio::test]
async fn what_there_is_not_is_refused() {
    let kubectl = Kubectl::new().await;
    for command in [
        "get pods",
        "get nodes",
        "logs x",
        "exec x -- ls",
        "top nodes",
        "auth can-i get secrets",
    ] {
        assert!(!kubectl.fails(command).await.is_empty(), "{command}");
    }
}

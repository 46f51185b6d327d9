//! `multinic operator` as a process: what it says when it cannot start, and how it ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use multinic_lab_kubernetes::KubernetesLab;
use serde_json::{Value, json};

use crate::world::World;

const NAMESPACE: &str = "multinic-system";

#[test]
fn what_is_wrong_at_the_start_is_one_line_with_what_to_do() {
    let world = World::seed();
    world.write("broken", "apiVersion: [");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    world.write(
        "kubeconfig",
        "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}], \
         clusters: [{name: k, cluster: {server: 'http://127.0.0.1:9'}}], users: [{name: u, user: {}}]}",
    );
    for (args, code, expected) in [
        (&["--listen", "8080"][..], 2, "such as 0.0.0.0:8080"),
        (&["--kubeconfig", "absent"], 1, "failed to use the kubeconfig absent"),
        (&["--kubeconfig", "broken"], 1, "failed to use the kubeconfig broken"),
        (&["--log", "multinic=loud"], 2, "failed to accept the log filter"),
        (
            &["--otlp-endpoint", "somewhere else"],
            2,
            "expected such as http://collector:4318",
        ),
        (
            &["--kubeconfig", "kubeconfig", "--listen", &address],
            1,
            "choose another address with --listen",
        ),
    ] {
        let ran = world.run(&[&["operator"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
        assert!(
            code == 2 || ran.err.trim_end().lines().count() == 1,
            "{args:?}: {}",
            ran.err
        );
    }
}

/// Ends the process with the test.
struct Operator(Child);

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lease(lab: &KubernetesLab) -> Value {
    let lease = lab.get("leases.coordination.k8s.io", NAMESPACE, "multinic-operator");
    lease.unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_in_order_and_releases_the_lease() {
    let (world, lab) = (World::seed(), KubernetesLab::builder().start().await.unwrap());
    lab.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
        .unwrap();
    let crd = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/crds/openstackconfigs.multinic.example.com.yaml"
    );
    lab.apply_yaml(&fs::read_to_string(crd).unwrap()).unwrap();
    world.write("kubeconfig", &lab.kubeconfig());
    let mut child = Command::new(env!("CARGO_BIN_EXE_multinic"))
        .args([
            "operator",
            "--kubeconfig",
            "kubeconfig",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ])
        .current_dir(world.folder.path())
        .env_remove("RUST_LOG")
        .envs([("POD_NAME", "replica-0"), ("POD_NAMESPACE", NAMESPACE)])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut operator = Operator(child);
    let leads = |lease: Option<&Value>| {
        let holder = lease.and_then(|lease| lease["spec"]["holderIdentity"].as_str());
        holder.is_some_and(|holder| holder.starts_with("replica-0_"))
    };
    lab.until("leases.coordination.k8s.io", NAMESPACE, "multinic-operator", leads)
        .await
        .unwrap();

    let pid = operator.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || {
        let lines: Vec<String> = lines.map_while(Result::ok).collect();
        (operator.0.wait().unwrap(), lines)
    });
    let (status, lines) = ended.await.unwrap();
    assert_eq!(status.code(), Some(0), "{lines:#?}");
    assert_eq!(lease(&lab)["spec"]["holderIdentity"], "", "{lines:#?}");
    let said: Vec<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["fields"]["message"].to_string())
        .collect();
    assert!(said.iter().any(|message| message.contains("stopping")), "{said:?}");
}

//! Changes as they happen, across a restart of the server.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::api::{Api, CLUSTER, interface, node};

/// Ends with the test.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(api: &Api, args: &[&str]) -> Self {
        let mut command = api.command(&[&["nodes", "--provider", CLUSTER, "--watch"], args].concat());
        let mut child = command
            .env("MULTINIC_TOKEN_FILE", api.path("viewer"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watch_tells_nodes_and_changes_and_survives_a_restart() {
    let mut api = Api::start();
    api.post(CLUSTER, &[node(1, &[interface(1, 1, 1500)])]);
    let mut watching = Watching::start(&api, &["-o", "json"]);
    let first = watching.json();
    assert_eq!(
        (&first["event"], &first["data"]["nodeName"]),
        (&json!("node"), &json!("worker-1"))
    );
    assert_eq!(watching.json(), json!({"event": "synced"}));
    api.post(CLUSTER, &[node(1, &[])]);
    let updated = watching.json();
    assert_eq!(
        (&updated["event"], &updated["id"], &updated["data"]["revision"]),
        (&json!("updated"), &json!(2), &json!(2))
    );
    api.restart();
    api.post(CLUSTER, &[node(2, &[])]);
    api.send(Method::DELETE, "node-configs/worker-1", CLUSTER, &json!(null));
    for (event, id, name) in [("created", 3, "worker-2"), ("deleted", 4, "worker-1")] {
        let told = watching.json();
        assert_eq!(
            (&told["event"], &told["id"], &told["data"]["nodeName"]),
            (&json!(event), &json!(id), &json!(name))
        );
    }
}

#[test]
fn a_watch_of_one_node_is_a_table_for_people() {
    let api = Api::start();
    api.post(CLUSTER, &[node(1, &[]), node(2, &[])]);
    let mut watching = Watching::start(&api, &["--node", "worker-2"]);
    assert!(watching.line().starts_with("EVENT     NODE       INSTANCE "));
    assert!(watching.line().starts_with("present   worker-2   3b0c4d5e-"));
    api.post(
        CLUSTER,
        &[node(1, &[interface(1, 1, 1500)]), node(2, &[interface(2, 1, 1500)])],
    );
    let line = watching.line();
    assert!(
        line.starts_with("updated   worker-2   ") && line.ends_with("   operator"),
        "{line}"
    );
}

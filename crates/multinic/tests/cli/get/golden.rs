//! What it looks like, word for word. Times are made alike.

use std::{env, fs, path::Path};

use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use super::api::{Api, CLUSTER, interface, node};
use crate::world::Ran;

const UPDATE: &str = "UPDATE_GOLDEN";

/// Three nodes in one cluster with a life behind them, and a cluster with a Korean name.
fn story() -> Api {
    let api = Api::start();
    let settings = json!({"displayName": "운영 클러스터", "delivery": {"target": {"kind": "none"},
        "emptyNodes": "delete"}});
    api.send(Method::PUT, "providers/biz-2", "biz-2", &settings);
    api.post(
        CLUSTER,
        &[
            node(1, &[interface(1, 1, 1500), interface(1, 2, 1500)]),
            node(2, &[interface(2, 1, 1450)]),
        ],
    );
    api.post(
        CLUSTER,
        &[node(1, &[interface(1, 1, 1450), interface(1, 3, 9000)]), node(10, &[])],
    );
    let report = json!({"state": "Failed", "observedGeneration": 1,
        "conditions": [{"type": "Ready", "status": "False", "reason": "AddressInUse", "message": "10.0.1.1 answers already",
            "lastTransitionTime": "2026-01-08T00:00:00Z"}],
        "interfaceStatuses": [
            {"id": 1, "name": "multinic1", "status": "Failed", "reason": "AddressInUse", "message": "somebody\u{1b}[31m else has it"},
            {"macAddress": "FA:16:3E:00:01:03", "name": "multinic3", "status": "Configured"}]});
    api.send(Method::PUT, "node-configs/worker-1/status", CLUSTER, &report);
    api.send(
        Method::PUT,
        "node-configs/worker-2/status",
        CLUSTER,
        &json!({"state": "Configured", "observedGeneration": 1}),
    );
    api
}

/// Compares with the file, or writes it.
fn assert_golden(name: &str, ran: &Ran) {
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}");
    let time = Regex::new(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z").unwrap();
    let found = time.replace_all(&ran.out, "2026-01-08T00:00:00Z").into_owned();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli/get/golden")
        .join(name);
    if env::var_os(UPDATE).is_some() {
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, expected,
        "if that is meant, run `{UPDATE}=1 cargo test -p multinic --test cli golden` and read the difference"
    );
}

#[test]
fn every_view_looks_as_it_should() {
    let api = story();
    for (name, args) in [
        ("providers.txt", &["providers"][..]),
        ("nodes.txt", &["nodes", "--provider", CLUSTER]),
        ("node.txt", &["node", "worker-1", "--provider", CLUSTER]),
        ("node-empty.txt", &["node", "worker-10", "--provider", CLUSTER]),
        ("revisions.txt", &["revisions", "worker-1", "--provider", CLUSTER]),
        (
            "revisions-1.txt",
            &["revisions", "worker-1", "--provider", CLUSTER, "--limit", "1"],
        ),
        ("node.json", &["node", "worker-1", "--provider", CLUSTER, "-o", "json"]),
        (
            "nodes.yaml",
            &["nodes", "--provider", CLUSTER, "-o", "yaml", "--limit", "2"],
        ),
        ("providers.json", &["providers", "-o", "json"]),
    ] {
        assert_golden(name, &api.get(args));
    }
}

#[test]
fn json_and_yaml_are_the_same_items_and_what_the_server_says() {
    let api = story();
    for what in [
        &["nodes", "--provider", CLUSTER][..],
        &["node", "worker-1", "--provider", CLUSTER],
        &["providers"],
        &["revisions", "worker-1", "--provider", CLUSTER],
    ] {
        let [json, yaml] = ["json", "yaml"].map(|form| api.get(&[what, &["-o", form]].concat()).out);
        let json: Value = serde_json::from_str(&json).unwrap();
        let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(json, yaml, "{what:?}");
        let again = api.get(&[what, &["-o", "json"]].concat()).out;
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), json);
    }
}

#[test]
fn a_deleted_node_still_has_its_history() {
    let api = story();
    api.send(Method::DELETE, "node-configs/worker-2", CLUSTER, &json!(null));
    let ran = api.get(&["revisions", "worker-2", "--provider", CLUSTER]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    assert!(
        lines[1].contains("deleted") && lines[1].contains("- 1 fa:16:3e:00:02:01 10.0.1.2 in 10.0.1.0/24, mtu 1450")
    );
    assert!(lines[2].contains("created") && lines[2].contains("+ 1 fa:16:3e:00:02:01"));
}

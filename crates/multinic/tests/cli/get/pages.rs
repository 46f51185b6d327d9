//! Many nodes, filters, and which cluster is meant.

use serde_json::Value;

use super::api::{Api, CLUSTER, interface, node};

fn names(json: &str) -> Vec<String> {
    let items: Vec<Value> = serde_json::from_str(json).unwrap();
    items
        .iter()
        .map(|item| item["nodeName"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_page_is_read_and_limit_cuts() {
    let api = Api::start();
    let nodes: Vec<Value> = (1..=1203).map(|number| node(number, &[])).collect();
    api.post(CLUSTER, &nodes);
    let ran = api.get(&["nodes", "-o", "json"]);
    assert_eq!(ran.err, "");
    let mut expected: Vec<String> = (1..=1203).map(|number| format!("worker-{number}")).collect();
    expected.sort();
    assert_eq!(names(&ran.out), expected);
    let cut = api.get(&["nodes", "-o", "json", "--limit", "501"]);
    assert_eq!(names(&cut.out), expected[..501]);
    let table = api.get(&["nodes"]).out;
    assert_eq!(table.lines().count(), 1204);
    assert_eq!(table.lines().filter(|line| line.starts_with("NODE")).count(), 1);
}

#[test]
fn filters_are_the_server_s() {
    let api = Api::start();
    api.post(
        CLUSTER,
        &(1..=3)
            .map(|number| node(number, &[interface(number, 1, 1500)]))
            .collect::<Vec<_>>(),
    );
    for (filter, expected) in [
        (&["--mac", "FA-16-3E-00-02-01"][..], &["worker-2"][..]),
        (&["--address", "10.0.1.3"], &["worker-3"]),
        (&["--instance", "3b0c4d5e-0000-4000-8000-000000000001"], &["worker-1"]),
        (&["--node", "worker-2"], &["worker-2"]),
        (&["--since", "1h"], &["worker-1", "worker-2", "worker-3"]),
        (&["--since", "2999-01-01T00:00:00Z"], &[]),
        (&["--mac", "FA-16-3E-00-02-01", "--address", "10.0.1.3"], &[]),
    ] {
        let ran = api.get(&[&["nodes", "-o", "json"], filter].concat());
        assert_eq!(names(&ran.out), expected, "{filter:?}");
        let said = if expected.is_empty() {
            "the cluster biz-1 has no node that matches\n"
        } else {
            ""
        };
        assert_eq!((ran.code, ran.err.as_str()), (0, said), "{filter:?}");
    }
}

#[test]
fn the_only_cluster_needs_no_name_and_of_several_one_has_to_be_named() {
    let api = Api::start();
    let none = api.get(&["nodes"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("knows no cluster yet"), "{}", none.err);
    api.post(CLUSTER, &[node(1, &[])]);
    assert!(
        api.get(&["node", "worker-1"])
            .out
            .starts_with("Node:      worker-1\nProvider:  biz-1\n")
    );
    api.post("biz-2", &[node(2, &[])]);
    let two = api.get(&["nodes"]);
    assert_eq!(two.code, 2);
    assert!(
        two.err.ends_with("name one with --provider: biz-1, biz-2\n"),
        "{}",
        two.err
    );
    let token = api.path("viewer");
    let env = [
        ("MULTINIC_TOKEN_FILE", token.to_str().unwrap()),
        ("MULTINIC_PROVIDER", "biz-2"),
    ];
    assert!(api.get_with(&["nodes"], &env).out.contains("worker-2"));
}

#[test]
fn an_agent_sees_its_node() {
    let api = Api::start();
    api.post(CLUSTER, &[node(1, &[interface(1, 1, 1500)]), node(2, &[])]);
    let env = [("MULTINIC_TOKEN", "agent-token-of-the-test")];
    let own = api.get_with(&["node", "worker-1", "--provider", CLUSTER], &env);
    assert_eq!((own.code, own.err.as_str()), (0, ""), "{}", own.out);
    assert!(
        own.out.contains("fa:16:3e:00:01:01") && !own.out.contains("Last revisions"),
        "{}",
        own.out
    );
    let unnamed = api.get_with(&["node", "worker-1"], &env);
    assert_eq!(unnamed.code, 2);
    assert!(
        unnamed.err.contains("name the cluster with --provider"),
        "{}",
        unnamed.err
    );
}

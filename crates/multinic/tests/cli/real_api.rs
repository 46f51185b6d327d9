//! `plan` and `sync` against the real management API: what it holds is read back, what it answers is understood.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    get::api::Api,
    world::{Ran, SEED, World},
};

const CLUSTER: &str = "f5861c22-b252-42b5-a0c5-cfb1d245c819";
const VM: &str = "measure-biz-worker-2";

/// The seed's world, but for the receiver.
struct Both {
    world: World,
    api: Api,
}

impl Both {
    fn start() -> Self {
        let (world, api) = (World::seed(), Api::start());
        let token = api.path("operator");
        let settings = world.settings().replace(&world.receiver.url(), &api.url);
        let settings = settings.replace(world.path("token").to_str().unwrap(), token.to_str().unwrap());
        world.write("multinic.yaml", &settings);
        Self { world, api }
    }

    fn sync(&self, flags: &[&str]) -> Ran {
        self.world.run(&[&["sync", "-f", "cr.yaml"], flags].concat())
    }

    fn good_sync(&self, flags: &[&str]) {
        let ran = self.sync(flags);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }

    /// What would be sent.
    fn planned(&self) -> Value {
        let ran = self.world.run(&["plan", "-f", "cr.yaml", "-o", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// `{node: (revision, {mac: id})}` as the server has it.
    fn held(&self) -> BTreeMap<String, (u64, BTreeMap<String, u64>)> {
        let ran = self.api.get(&["nodes", "--provider", CLUSTER, "-o", "json"]);
        let nodes: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ids = |node: &Value| {
            let interfaces = node["interfaces"].as_array().unwrap().iter();
            let pairs = interfaces.map(|nic| (text(&nic["macAddress"]), nic["id"].as_u64().unwrap()));
            pairs.collect::<BTreeMap<_, _>>()
        };
        let entry = |node: &Value| (text(&node["nodeName"]), (node["revision"].as_u64().unwrap(), ids(node)));
        nodes.iter().map(entry).collect()
    }

    fn revisions(&self) -> Vec<u64> {
        self.held().values().map(|(revision, _)| *revision).collect()
    }
}

#[test]
fn what_was_delivered_is_read_back_and_not_sent_again() {
    let mut both = Both::start();
    let planned = both.planned();
    both.good_sync(&[]);
    assert_eq!(planned[CLUSTER].as_array().unwrap().len(), 3);
    let held = both.held();
    assert_eq!(held.len(), 3);
    assert_eq!(both.planned(), json!({ CLUSTER: [] }));
    both.api.restart();
    both.good_sync(&[]);
    assert_eq!(
        both.held(),
        held,
        "a restart changes nothing, and neither does another sync"
    );
}

#[test]
fn ids_are_what_the_server_remembers() {
    let both = Both::start();
    both.good_sync(&[]);
    let before = both.held()[VM].1.clone();
    let first = before.iter().find(|(_, id)| **id == 1).unwrap().0.clone();
    let cloud = both.world.lab.cloud();
    let ports = cloud.ports_of(VM).unwrap();
    let port = ports.iter().find(|port| cloud.mac_of(port).unwrap() == first).unwrap();
    cloud.detach_port(port).unwrap();
    both.good_sync(&["--prune"]);
    let after = both.held()[VM].clone();
    assert_eq!(after.0, 2);
    let left: BTreeMap<_, _> = before
        .iter()
        .filter(|(mac, _)| **mac != first)
        .map(|(mac, id)| (mac.clone(), *id))
        .collect();
    assert_eq!(after.1, left, "the port that stays keeps its id");
    cloud.attach_port(VM, "test-sub").unwrap();
    both.good_sync(&[]);
    let grown = both.held()[VM].1.clone();
    assert!(left.iter().all(|(mac, id)| grown.get(mac) == Some(id)), "{grown:?}");
    assert_eq!(
        grown.values().copied().collect::<std::collections::BTreeSet<_>>(),
        [1, 2].into()
    );
    let history = both.api.get(&["revisions", VM, "--provider", CLUSTER]).out;
    assert_eq!(
        history.matches("\n3 ").count() + history.matches("\n2 ").count() + history.matches("\n1 ").count(),
        3
    );
}

#[test]
fn a_vm_without_ports_keeps_its_node_with_an_empty_list() {
    let both = Both::start();
    both.good_sync(&[]);
    let cloud = both.world.lab.cloud();
    for port in cloud.ports_of(VM).unwrap() {
        cloud.detach_port(&port).unwrap();
    }
    both.good_sync(&["--prune"]);
    assert_eq!(both.held()[VM], (2, BTreeMap::new()));
}

/// A node of somebody else with an address that one of our VMs has.
fn squat(both: &Both, vm: &str) {
    let planned = both.planned();
    let nodes = planned[CLUSTER].as_array().unwrap();
    let node = nodes.iter().find(|node| node["nodeName"] == vm).unwrap();
    let mut interface = node["interfaces"][0].clone();
    interface["macAddress"] = json!("02:00:00:00:00:01");
    let squatter = json!({"nodeName": "squatter", "instanceId": "i-squatter", "interfaces": [interface]});
    both.api.post(CLUSTER, &[squatter]);
}

#[test]
fn a_node_that_is_rejected_fails_alone_and_says_whose_address_it_is() {
    let both = Both::start();
    squat(&both, VM);
    let ran = both.sync(&[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let expected = format!("node {VM} was not delivered: ");
    assert!(ran.err.contains(&expected), "{}", ran.err);
    assert!(
        ran.err.contains("another interface of the cluster has this address"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("interface 1 of node squatter"), "{}", ran.err);
    let held = both.held();
    assert_eq!(
        held.keys().collect::<Vec<_>>(),
        ["measure-biz-master-1", "measure-biz-worker-3", "squatter"]
    );
}

#[test]
fn all_nodes_rejected_is_told_for_each_of_them() {
    let both = Both::start();
    squat(&both, VM);
    let only = SEED.replace("    - \"measure-biz-worker-3\"\n    - \"measure-biz-master-1\"\n", "");
    both.world.write("cr.yaml", &only);
    let ran = both.sync(&[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.err.matches("was not delivered").count(), 1, "{}", ran.err);
    assert_eq!(both.held().len(), 1);
}

#[test]
fn the_later_post_wins_and_nobody_s_change_is_lost() {
    let both = Both::start();
    both.good_sync(&[]);
    both.api.post(
        CLUSTER,
        &[json!({"nodeName": VM, "instanceId": "i-other", "interfaces": []})],
    );
    both.good_sync(&[]);
    let history = both
        .api
        .get(&["revisions", VM, "--provider", CLUSTER, "-o", "json"])
        .out;
    let history: Vec<Value> = serde_json::from_str(&history).unwrap();
    let counts: Vec<usize> = history
        .iter()
        .map(|change| change["interfaces"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [2, 0, 2], "{history:?}");
    assert!(both.revisions().contains(&3));
}

#[test]
fn a_refused_token_or_a_role_that_may_not_write_changes_nothing_and_says_so() {
    let both = Both::start();
    let good = std::fs::read_to_string(both.world.path("multinic.yaml")).unwrap();
    let operator = both.api.path("operator");
    both.world.write("wrong", "a-token-that-nobody-knows");
    let wrong = both.world.path("wrong");
    let viewer = both.api.path("viewer");
    for (token, expected) in [
        (&wrong, "check managementApi.token"),
        (&viewer, "the role of \"viewer\" does not allow this"),
    ] {
        let settings = good.replace(operator.to_str().unwrap(), token.to_str().unwrap());
        both.world.write("multinic.yaml", &settings);
        let ran = both.sync(&[]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(ran.err.contains(expected), "{}", ran.err);
        assert!(!ran.err.contains("a-token-that-nobody-knows"), "{}", ran.err);
    }
    assert!(both.held().is_empty());
}

#[test]
fn doctor_finds_a_server_that_reads_back() {
    let both = Both::start();
    let ran = both.world.run(&["doctor", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.lines().last().unwrap().starts_with("ok "), "{}", ran.out);
}

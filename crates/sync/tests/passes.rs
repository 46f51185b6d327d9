//! The stories of a pass, told over HTTP: what users do, and what must be in force afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use common::{
    ADD, CLUSTER, Cr, PROJECT, PROVIDER, PRUNE, Stage, Staging,
    expect::{findings, ids, nic, node, nodes, reasons},
};
use multinic_lab::{CloudBuilder, Fault, Receiver, Service};
use multinic_sync::{Failure, Outcome, Report};
use serde_json::{Value, json};

const RED: &str = "10000000-0000-4000-8000-00000000000a";
const W1: &str = "a0000000-0000-4000-8000-000000000001";
const W2: &str = "b0000000-0000-4000-8000-000000000002";
const W3: &str = "c0000000-0000-4000-8000-000000000003";
const OTHER: &str = "0000000000000000000000000000beef";
const CIDR: &str = "10.1.0.0/24";

/// One subnet, three VMs with one port each.
fn cloud() -> CloudBuilder {
    CloudBuilder::new()
        .provider(PROVIDER)
        .project(OTHER, "other")
        .project(PROJECT, "biz")
        .network("red-net")
        .mtu(1450)
        .subnet("red", CIDR)
        .id(RED)
        .vm("w1")
        .id(W1)
        .port("red")
        .mac(&mac(1))
        .address("10.1.0.11")
        .vm("w2")
        .id(W2)
        .port("red")
        .mac(&mac(2))
        .address("10.1.0.12")
        .vm("w3")
        .id(W3)
        .port("red")
        .mac(&mac(3))
        .address("10.1.0.13")
}

fn mac(n: u8) -> String {
    format!("fa:16:3e:aa:00:{n:02x}")
}

fn red(id: u32, n: u8) -> Value {
    nic(id, &mac(n), &format!("10.1.0.{}", 10 + n), CIDR, 1450)
}

fn w(name: &str) -> Cr {
    Cr::on_id("c", RED, &[name])
}

fn all() -> [Cr; 1] {
    [Cr::on_id("c", RED, &["w1", "w2", "w3"])]
}

fn categories(report: &Report) -> Vec<&'static str> {
    let category = |failure: &Failure| match failure {
        Failure::Place { error, .. } => error.category(),
        Failure::ReadBack { error, .. } => (&**error).into(),
    };
    report.failures.iter().map(category).collect()
}

#[tokio::test]
async fn names_and_uuids_select_the_same_way() {
    let stage = Stage::new(cloud());
    stage
        .good_pass(&[Cr::on_id("c", RED, &["w1", &W2.to_uppercase(), W3])], ADD)
        .await;
    let expected = [("w1", W1, 1), ("w2", W2, 2), ("w3", W3, 3)].map(|(name, id, n)| node(name, id, vec![red(1, n)]));
    assert_eq!(stage.nodes(), nodes(expected));
    let post = stage.receiver.posts().pop().unwrap();
    assert_eq!(post.cluster, CLUSTER);
}

#[tokio::test]
async fn the_body_of_a_post_is_the_contract_key_for_key() {
    let stage = Stage::new(cloud());
    stage.good_pass(&[w("w1")], ADD).await;
    let expected = format!(
        "[{{\"nodeName\":\"w1\",\"instanceId\":\"{W1}\",\"interfaces\":[{{\"id\":1,\"macAddress\":\"{}\",\
         \"address\":\"10.1.0.11\",\"cidr\":\"{CIDR}\",\"mtu\":1450}}]}}]",
        mac(1)
    );
    assert_eq!(stage.receiver.posts()[0].body, expected);
}

#[tokio::test]
async fn the_metadata_key_names_the_node_and_the_server_name_does_when_it_is_missing_or_empty() {
    let staging = Staging {
        openstack: vec!["nodeNameMetadataKey: k8s".to_owned()],
        ..Staging::default()
    };
    let stage = staging.stage(cloud());
    stage.lab.cloud().set_metadata("w1", "k8s", Some("node-1")).unwrap();
    stage.lab.cloud().set_metadata("w2", "k8s", Some("")).unwrap();
    for configs in [all(), [Cr::on_id("c", RED, &[W1, W2, W3])]] {
        stage.good_pass(&configs, ADD).await;
        let names: Vec<_> = stage.nodes().as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["node-1", "w2", "w3"]);
    }
}

/// `cloud`, and a second subnet on which `w1` and `w2` have a port each.
fn two_subnets() -> CloudBuilder {
    cloud()
        .network("blue-net")
        .mtu(9000)
        .subnet("blue", "10.2.0.0/24")
        .vm("w4")
        .id("d0000000-0000-4000-8000-000000000004")
        .port("red")
        .mac(&mac(4))
        .address("10.1.0.14")
        .port("blue")
        .mac(&mac(0x14))
        .address("10.2.0.14")
}

fn both_of_w4(red_id: u32, blue_id: u32) -> Value {
    let mut interfaces = vec![
        red(red_id, 4),
        nic(blue_id, &mac(0x14), "10.2.0.14", "10.2.0.0/24", 9000),
    ];
    interfaces.sort_by_key(|nic| nic["id"].as_u64());
    nodes([node("w4", "d0000000-0000-4000-8000-000000000004", interfaces)])
}

#[tokio::test]
async fn two_configs_of_one_vm_make_one_node_in_either_order_and_together() {
    let (first, second) = (Cr::on_id("r", RED, &["w4"]), Cr::on_name("b", "blue", &["w4"]));
    for (order, expected) in [
        (vec![vec![first.clone(), second.clone()]], both_of_w4(1, 2)),
        (vec![vec![second.clone(), first.clone()]], both_of_w4(1, 2)),
        (vec![vec![first.clone()], vec![second.clone()]], both_of_w4(1, 2)),
        (vec![vec![second.clone()], vec![first.clone()]], both_of_w4(2, 1)),
    ] {
        let mut stage = Stage::new(two_subnets());
        for configs in order {
            stage.restart();
            stage.good_pass(&configs, ADD).await;
        }
        assert_eq!(stage.nodes(), expected);
        // All of them, pruning: nothing left to say.
        stage.receiver.clear_requests();
        stage.good_pass(&[first.clone(), second.clone()], PRUNE).await;
        assert!(stage.receiver.posts().is_empty());
    }
}

#[tokio::test]
async fn one_config_that_fails_takes_nothing_from_the_other_on_the_same_vm() {
    let stage = Stage::new(two_subnets());
    let good = Cr::on_id("r", RED, &["w4"]);
    stage
        .good_pass(&[good.clone(), Cr::on_name("b", "blue", &["w4"])], ADD)
        .await;
    stage.receiver.clear_requests();
    for broken in [
        Cr::on_name("b", "no-such-subnet", &["w4"]),
        Cr::on_name("b", "blue", &["w4"]).project("0000000000000000000000000000dead"),
        Cr::on_name("b", "blue", &["w4"]).provider("00000000-0000-4000-8000-000000000000"),
    ] {
        for pruning in [ADD, PRUNE] {
            let report = stage.pass(&[good.clone(), broken.clone()], pruning).await;
            assert!(report.outcome() >= Outcome::Errors, "{broken:?}");
            assert_eq!(stage.nodes(), both_of_w4(1, 2), "{broken:?} {pruning:?}");
        }
    }
    assert!(stage.receiver.posts().is_empty());
}

#[tokio::test]
async fn same_named_subnets_and_vms_are_findings_with_their_candidates_and_block_nobody() {
    let twins = cloud()
        .network("n1")
        .subnet("twin", "10.3.0.0/24")
        .network("n2")
        .subnet("twin", "10.4.0.0/24")
        .vm("w3")
        .port("red");
    let stage = Stage::new(twins);
    let report = stage
        .pass(&[all()[0].clone(), Cr::on_name("t", "twin", &["w1"])], ADD)
        .await;
    assert_eq!(report.outcome(), Outcome::Errors);
    assert_eq!(reasons(&report), ["AmbiguousSubnet", "AmbiguousVM"]);
    let names: Vec<_> = stage.nodes().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["w1", "w2"]);
    let texts: Vec<_> = report
        .clusters
        .values()
        .flat_map(|c| &c.plan.findings)
        .map(|f| f.message.clone())
        .collect();
    assert!(texts.iter().any(|text| text.contains(W3)), "{texts:?}");
    // The id chooses.
    stage.good_pass(&[Cr::on_id("c", RED, &["w1", "w2", W3])], ADD).await;
    assert!(stage.nodes().get("w3").is_some());
}

#[tokio::test]
async fn a_ports_status_decides_only_whether_it_is_taken_up() {
    let staging = Staging {
        openstack: vec!["portStatuses: [ACTIVE]".to_owned()],
        ..Staging::default()
    };
    let stage = staging.stage(cloud());
    let cloud = stage.lab.cloud();
    let port = |vm: &str| cloud.ports_of(vm).unwrap().remove(0);
    cloud.set_port_status(&port("w2"), "DOWN").unwrap();
    cloud.set_port_status(&port("w3"), "BUILD").unwrap();
    let report = stage.pass(&all(), ADD).await;
    assert!(reasons(&report).contains(&"PortStatusNotAllowed".to_owned()));
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 1);
    assert!(stage.nodes().get("w2").is_none_or(|node| ids(node).is_empty()));
    cloud.set_port_status(&port("w2"), "ACTIVE").unwrap();
    cloud.set_port_status(&port("w3"), "ACTIVE").unwrap();
    stage.good_pass(&all(), ADD).await;
    let delivered = stage.nodes();
    for status in ["DOWN", "BUILD", "ERROR", "WHATEVER"] {
        for vm in ["w1", "w2", "w3"] {
            cloud.set_port_status(&port(vm), status).unwrap();
            cloud.set_vm_status(vm, "REBOOT").unwrap();
        }
        stage.pass(&all(), PRUNE).await;
        assert_eq!(stage.nodes(), delivered, "{status}");
    }
}

#[tokio::test]
async fn by_default_down_and_build_ports_are_taken_up_and_error_is_not() {
    let stage = Stage::new(cloud());
    let cloud = stage.lab.cloud();
    for (vm, status) in [("w1", "DOWN"), ("w2", "BUILD"), ("w3", "ERROR")] {
        let port = cloud.ports_of(vm).unwrap().remove(0);
        cloud.set_port_status(&port, status).unwrap();
    }
    stage.pass(&all(), ADD).await;
    let after = stage.nodes();
    assert_eq!((ids(&after["w1"]).len(), ids(&after["w2"]).len()), (1, 1));
    assert!(after.get("w3").is_none_or(|node| ids(node).is_empty()));
}

#[tokio::test]
async fn each_family_of_a_dual_stack_port_is_delivered_by_the_config_that_asks_for_it() {
    let dual = || {
        CloudBuilder::new()
            .provider(PROVIDER)
            .project(PROJECT, "biz")
            .network("dual")
            .mtu(9000)
            .subnet("v4", "10.5.0.0/24")
            .subnet("v6", "2001:db8:5::/64")
            .vm("w1")
            .id(W1)
            .port("v4")
            .mac(&mac(1))
            .address("10.5.0.11")
            .also_on("v6")
            .address("2001:db8:5::11")
    };
    for (subnet, address, cidr) in [
        ("v4", "10.5.0.11", "10.5.0.0/24"),
        ("v6", "2001:db8:5::11", "2001:db8:5::/64"),
    ] {
        let stage = Stage::new(dual());
        stage.good_pass(&[Cr::on_name("c", subnet, &["w1"])], ADD).await;
        assert_eq!(
            stage.nodes(),
            nodes([node("w1", W1, vec![nic(1, &mac(1), address, cidr, 9000)])])
        );
    }
    let stage = Stage::new(dual());
    let report = stage
        .good_pass(&[Cr::on_name("a", "v6", &["w1"]), Cr::on_name("b", "v4", &["w1"])], ADD)
        .await;
    assert!(
        reasons(&report).contains(&"SeveralAddresses".to_owned()),
        "{:?}",
        findings(&report)
    );
    assert_eq!(
        stage.nodes()["w1"]["interfaces"],
        json!([nic(1, &mac(1), "10.5.0.11", "10.5.0.0/24", 9000)])
    );
}

#[tokio::test]
async fn the_mtu_is_the_networks_and_follows_it() {
    let stage = Stage::new(cloud());
    for mtu in [1450, 1500, 9000, 68] {
        stage.lab.cloud().set_mtu("red-net", mtu).unwrap();
        stage.good_pass(&[w("w1")], ADD).await;
        assert_eq!(stage.nodes()["w1"]["interfaces"][0]["mtu"], mtu);
    }
    let before = stage.nodes();
    for mtu in [0, 67, 65_536, -1] {
        stage.lab.cloud().set_mtu("red-net", mtu).unwrap();
        let report = stage.pass(&[w("w1")], PRUNE).await;
        assert_eq!(reasons(&report), ["UnusableSubnet"], "{mtu}");
        assert_eq!(stage.nodes(), before, "{mtu}");
    }
}

#[tokio::test]
async fn a_detached_port_is_kept_and_listed_by_sync_and_removed_by_prune_with_other_ids_unmoved() {
    let stage = Stage::new(cloud());
    let cloud = stage.lab.cloud();
    cloud.attach_port("w1", "red").unwrap();
    cloud.attach_port("w1", "red").unwrap();
    stage.good_pass(&[w("w1")], ADD).await;
    let before = stage.nodes();
    let gone = cloud.ports_of("w1").unwrap().remove(0);
    cloud.detach_port(&gone).unwrap();
    let report = stage.good_pass(&[w("w1")], ADD).await;
    assert!(reasons(&report).contains(&"InterfaceKept".to_owned()));
    assert_eq!(stage.nodes(), before);
    stage.good_pass(&[w("w1")], PRUNE).await;
    let (old, new) = (ids(&before["w1"]), ids(&stage.nodes()["w1"]));
    assert_eq!(new.len(), 2);
    assert!(new.iter().all(|(mac, id)| old[mac] == *id), "{old:?} {new:?}");
    // Attached again, it takes the smallest free id.
    cloud.attach(&gone, "w1").unwrap();
    stage.good_pass(&[w("w1")], ADD).await;
    assert_eq!(stage.nodes(), before);
}

#[tokio::test]
async fn a_renamed_vm_moves_to_its_new_node_with_its_ids() {
    let stage = Stage::new(cloud());
    let config = [Cr::on_id("c", RED, &[W1])];
    stage.lab.cloud().attach_port("w1", "red").unwrap();
    stage.good_pass(&config, ADD).await;
    let before = ids(&stage.nodes()["w1"]);
    stage.lab.cloud().rename_vm("w1", "w1-new").unwrap();
    stage.pass(&config, PRUNE).await;
    let after = stage.nodes();
    assert_eq!(ids(&after["w1-new"]), before);
    assert_eq!(after["w1"]["interfaces"], json!([]));
    assert_eq!(after["w1-new"]["instanceId"], W1);
}

#[tokio::test]
async fn a_vm_of_another_project_is_not_found_by_name_nor_by_id() {
    let foreign = "e0000000-0000-4000-8000-000000000005";
    let stage = Stage::new(cloud().in_project(OTHER).vm("theirs").id(foreign).port("red"));
    for vm in ["theirs", foreign] {
        let report = stage.pass(&[Cr::on_id("c", RED, &["w1", vm])], ADD).await;
        assert_eq!(findings(&report), [("VMNotFound".to_owned(), vm.to_owned())]);
        assert_eq!(report.outcome(), Outcome::Errors);
        assert_eq!(stage.nodes().as_object().unwrap().len(), 1);
    }
    // Alone, so that it is asked for by id.
    let report = stage.pass(&[w(foreign)], ADD).await;
    assert_eq!(reasons(&report), ["VMNotFound"]);
    // With the other project's own eyes the subnet is not to be seen.
    let report = stage.pass(&[w(foreign).project(OTHER)], ADD).await;
    assert_eq!(reasons(&report), ["SubnetNotFound"]);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_then_not_before_it_changes() {
    let stage = Stage::new(cloud());
    stage.lab.cloud().set_password("admin", "another").unwrap();
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(
        (report.outcome(), categories(&report)),
        (Outcome::Failed, vec!["login"])
    );
    for _ in 0..3 {
        let report = stage.pass(&all(), ADD).await;
        assert_eq!(categories(&report), ["rejected_earlier"]);
    }
    assert_eq!(stage.lab.requests_to(Service::Keystone).len(), 1);
    assert!(stage.receiver.posts().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_renewed_without_a_word() {
    let stage = Stage::new(cloud());
    stage.good_pass(&all(), ADD).await;
    for round in 2..5 {
        stage.lab.cloud().expire_tokens();
        let report = stage.pass(&all(), ADD).await;
        assert_eq!(report.outcome(), Outcome::Done);
        assert_eq!(
            stage.lab.requests_to(Service::Keystone).len(),
            round,
            "one login for all refused requests"
        );
    }
    assert_eq!(stage.receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_keystone_that_is_down_fails_the_pass_and_is_no_wrong_password() {
    let stage = brief().stage(cloud());
    stage.lab.cloud().set_keystone_down(true);
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(
        (report.outcome(), categories(&report)),
        (Outcome::Failed, vec!["status"])
    );
    assert!(stage.receiver.posts().is_empty());
    stage.lab.cloud().set_keystone_down(false);
    stage.good_pass(&all(), ADD).await;
    assert_eq!(stage.nodes().as_object().unwrap().len(), 3);
}

/// A stage that gives up soon.
fn brief() -> Staging {
    let mut staging = Staging::default();
    staging.pace.openstack.budget = Duration::from_millis(20);
    staging
}

#[tokio::test]
async fn a_receiver_without_get_takes_everything_in_the_order_of_age() {
    for (post, other) in [(204, 404), (200, 405), (202, 501)] {
        let staging = Staging {
            receiver: Receiver::plain(post, other).unwrap(),
            ..Staging::default()
        };
        let stage = staging.stage(cloud());
        for _ in 0..2 {
            let report = stage.good_pass(&all(), ADD).await;
            assert!(reasons(&report).contains(&"NoReadBack".to_owned()));
        }
        stage.lab.cloud().attach_port("w1", "red").unwrap();
        stage.good_pass(&all(), ADD).await;
        let after = stage.nodes();
        assert_eq!(ids(&after["w1"])[&mac(1)], 1, "{other}");
        assert_eq!(ids(&after["w1"]).len(), 2);
        assert_eq!(ids(&after["w3"]), ids(&node("w3", W3, vec![red(1, 3)])));
    }
}

#[tokio::test]
async fn a_rejected_node_is_named_and_the_others_are_delivered() {
    let stage = Stage::new(cloud());
    stage.receiver.reject("w2", "not in this cluster");
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(report.outcome(), Outcome::Failed);
    let refused: Vec<_> = report
        .undelivered()
        .map(|(_, node, why)| (node.to_string(), why.to_owned()))
        .collect();
    assert_eq!(refused, [("w2".to_owned(), "not in this cluster".to_owned())]);
    let names: Vec<_> = stage.nodes().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["w1", "w3"]);
    // All of them rejected: 422.
    stage.receiver.clear_requests();
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(report.undelivered().count(), 1);
    assert_eq!(stage.posted().len(), 1, "only what is not there yet");
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_moment_gets_everything_once() {
    let stage = Stage::new(cloud());
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .times(2)
        .inject(Fault::status(500));
    assert_eq!(stage.pass(&all(), ADD).await.outcome(), Outcome::Done);
    assert_eq!(stage.posted().len(), 3);

    // Down for good: nothing is lost, the next pass delivers.
    let stage = Stage::new(cloud());
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .times(4)
        .inject(Fault::status(500));
    let report = stage.pass(&all(), ADD).await;
    assert_eq!((report.outcome(), report.undelivered().count()), (Outcome::Failed, 3));
    assert_eq!(stage.nodes(), json!({}));
    stage.good_pass(&all(), ADD).await;
    assert_eq!(stage.nodes().as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_second_update() {
    let stage = Stage::new(cloud());
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .inject(Fault::AnswerLost);
    assert_eq!(stage.pass(&all(), ADD).await.outcome(), Outcome::Done);
    let posts = stage.receiver.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0], posts[1]);
}

#[tokio::test]
async fn each_cluster_gets_its_own_nodes_only() {
    let stage = Stage::new(cloud());
    let configs = [
        w("w1").cluster(Some("cluster-a")),
        Cr::on_id("d", RED, &["w2", "w3"]).cluster(Some("cluster-b")),
        Cr::on_id("e", RED, &["w3"]).cluster(None),
    ];
    stage.good_pass(&configs, ADD).await;
    for (cluster, expected) in [
        ("cluster-a", vec!["w1"]),
        ("cluster-b", vec!["w2", "w3"]),
        (PROVIDER, vec!["w3"]),
    ] {
        let names: Vec<_> = stage
            .receiver
            .node_configs(cluster)
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, expected, "{cluster}");
    }
    assert_eq!(stage.lab.requests_to(Service::Keystone).len(), 1);
    // One cluster that cannot be read back stops itself only.
    stage.lab.cloud().attach_port("w1", "red").unwrap();
    stage.lab.cloud().attach_port("w2", "red").unwrap();
    let first = Fault::status(403);
    stage.receiver.clear_requests();
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("GET")
        .inject(first);
    let report = stage.pass(&configs, ADD).await;
    assert_eq!((report.outcome(), report.failures.len()), (Outcome::Failed, 1));
    assert_eq!(report.clusters.len(), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_takes_nothing_from_the_others() {
    let (down, unknown) = ("provider-down", "provider-unknown");
    let stage = brief().stage(cloud().provider(down).keystone_url("http://127.0.0.1:9/v3"));
    let configs = [
        w("w1"),
        Cr::on_id("d", RED, &["w2"]).provider(down),
        Cr::on_id("e", RED, &["w3"]).provider(unknown),
    ];
    for pruning in [ADD, PRUNE] {
        let report = stage.pass(&configs, pruning).await;
        assert_eq!(report.outcome(), Outcome::Failed);
        assert_eq!(categories(&report), ["connect", "not_found"]);
        assert_eq!(stage.nodes(), nodes([node("w1", W1, vec![red(1, 1)])]));
    }
    assert_eq!(stage.posted().len(), 1);
}

#[tokio::test]
async fn two_providers_of_one_cluster_are_read_side_by_side() {
    let there = Stage::new(CloudBuilder::sized(2, 1));
    let url = there.lab.keystone_url();
    let stage = Stage::new(cloud().provider("there").keystone_url(&url));
    let far = Cr::on_name("far", "test-sub", &["vm-00001", "vm-00002"]).provider("there");
    stage.good_pass(&[w("w1"), far], ADD).await;
    let names: Vec<_> = stage.nodes().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["vm-00001", "vm-00002", "w1"]);
}

#[tokio::test]
async fn a_network_shared_into_the_project_counts_and_others_do_not() {
    let shared = cloud()
        .in_project(OTHER)
        .network("all")
        .shared()
        .subnet("for-all", "10.6.0.0/24")
        .network("us")
        .shared_with(PROJECT)
        .subnet("for-us", "10.7.0.0/24")
        .network("them")
        .subnet("for-them", "10.8.0.0/24");
    let stage = Stage::new(shared);
    for subnet in ["for-all", "for-us", "for-them"] {
        stage.lab.cloud().attach_port("w1", subnet).unwrap();
    }
    for (subnet, visible) in [("for-all", true), ("for-us", true), ("for-them", false)] {
        let report = stage.pass(&[Cr::on_name("c", subnet, &["w1"])], ADD).await;
        assert_eq!(
            !reasons(&report).contains(&"SubnetNotFound".to_owned()),
            visible,
            "{subnet}"
        );
        assert_eq!(
            report.outcome() <= Outcome::Warnings,
            visible,
            "{subnet}: {:?}",
            findings(&report)
        );
    }
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 2);
}

#[tokio::test]
async fn a_port_belongs_to_its_server_whoever_owns_it() {
    let owned = cloud()
        .vm("w4")
        .id("d0000000-0000-4000-8000-000000000004")
        .port("red")
        .mac(&mac(4))
        .address("10.1.0.14")
        .owned_by(OTHER);
    let stage = Stage::new(owned);
    stage.good_pass(&[w("w4")], ADD).await;
    assert_eq!(stage.nodes()["w4"]["interfaces"], json!([red(1, 4)]));
}

#[tokio::test]
async fn a_deleted_vm_is_kept_by_sync_and_withdrawn_by_prune() {
    for by in [["w1", "w2"], [W1, W2]] {
        let stage = Stage::new(cloud());
        let configs = [Cr::on_id("c", RED, &by)];
        stage.good_pass(&configs, ADD).await;
        let before = stage.nodes();
        stage.lab.cloud().delete_vm("w1").unwrap();
        let report = stage.pass(&configs, ADD).await;
        assert!(reasons(&report).contains(&"VMNotFound".to_owned()));
        assert_eq!(stage.nodes(), before);
        let report = stage.pass(&configs, PRUNE).await;
        assert_eq!(report.outcome(), Outcome::Errors, "the entry still means nobody");
        let after = stage.nodes();
        assert_eq!((&after["w1"]["interfaces"], &after["w2"]), (&json!([]), &before["w2"]));
        stage.receiver.clear_requests();
        stage.pass(&configs, PRUNE).await;
        assert!(stage.receiver.posts().is_empty(), "a withdrawal is not sent again");
    }
}

#[tokio::test]
async fn two_vms_of_one_node_name_are_both_left_out() {
    let staging = Staging {
        openstack: vec!["nodeNameMetadataKey: k8s".to_owned()],
        ..Staging::default()
    };
    let stage = staging.stage(cloud());
    stage.lab.cloud().set_metadata("w1", "k8s", Some("w2")).unwrap();
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(
        (report.outcome(), reasons(&report)),
        (Outcome::Errors, vec!["DuplicateNodeName".to_owned()])
    );
    assert_eq!(stage.nodes(), nodes([node("w3", W3, vec![red(1, 3)])]));
}

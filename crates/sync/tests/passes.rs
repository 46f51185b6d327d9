//! The stories of a pass, told over HTTP: what users do with VMs and ports, and what must be in force afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    ADD, CLUSTER, Cr, PRUNE, Stage, Staging,
    cast::{CIDR, OTHER, RED, W1, W2, W3, all, cloud, mac, red, w},
    expect::{findings, reasons},
};
use multinic_sync::Outcome;
use multinic_testing::expect::{ids, node, nodes};
use serde_json::json;

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

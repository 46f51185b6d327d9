//! Configs, subnets and networks over HTTP: unions, names, families, MTUs, sharing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    ADD, Cr, PROJECT, PROVIDER, PRUNE, Stage,
    cast::{OTHER, RED, W1, W3, all, cloud, mac, red, w},
    expect::{findings, reasons},
};
use multinic_lab::CloudBuilder;
use multinic_sync::Outcome;
use multinic_testing::expect::{ids, nic, node, nodes};
use serde_json::{Value, json};

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

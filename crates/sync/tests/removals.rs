//! What is missing from a reading: once, twice, and too much of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    ADD, Cr, PROJECT, PROVIDER, PRUNE, Stage,
    expect::{findings, reasons},
};
use multinic_lab::{CloudBuilder, Fault, SEED_SUBNET_ID, Service};
use multinic_sync::{Outcome, once::Pruning};
use multinic_testing::expect::ids;
use serde_json::Value;

const ALLOWED: Pruning = Pruning {
    prune: true,
    allow_mass_removal: true,
};

/// 4 VMs × 2 ports, delivered.
async fn delivered() -> (Stage, [Cr; 1]) {
    let stage = Stage::new(CloudBuilder::sized(4, 2));
    let names: Vec<_> = (1..=4).map(CloudBuilder::sized_vm_name).collect();
    let configs = [Cr::on_id(
        "all",
        SEED_SUBNET_ID,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )];
    stage.good_pass(&configs, ADD).await;
    stage.receiver.clear_requests();
    (stage, configs)
}

/// The listing lacks every port from `keep` on.
fn only(keep: usize) -> Fault {
    Fault::edit(move |body| body["ports"].as_array_mut().unwrap().truncate(keep))
}

#[tokio::test]
async fn what_is_missing_from_the_first_reading_only_stays() {
    let (stage, configs) = delivered().await;
    let before = stage.nodes();
    for keep in [0, 1, 7] {
        stage.lab.faults().clear();
        stage
            .lab
            .faults()
            .at(Service::Neutron)
            .get("/v2.0/ports")
            .inject(only(keep));
        stage.good_pass(&configs, PRUNE).await;
        assert_eq!(
            stage
                .lab
                .requests_to(Service::Neutron)
                .iter()
                .filter(|r| r.faulted)
                .count(),
            1
        );
        stage.lab.clear_requests();
        assert_eq!(stage.nodes(), before, "{keep}");
    }
    assert!(stage.receiver.posts().is_empty());
}

#[tokio::test]
async fn what_is_missing_from_the_second_reading_only_stays() {
    let (stage, configs) = delivered().await;
    let gone = stage.lab.cloud().ports_of("vm-00002").unwrap().remove(0);
    stage.lab.cloud().detach_port(&gone).unwrap();
    // The second reading lacks one port more.
    stage
        .lab
        .faults()
        .at(Service::Neutron)
        .get("/v2.0/ports")
        .nth(2)
        .inject(Fault::OmitItems { count: 1 });
    let report = stage.good_pass(&configs, PRUNE).await;
    let interfaces: usize = stage
        .nodes()
        .as_object()
        .unwrap()
        .values()
        .map(|node| ids(node).len())
        .sum();
    assert_eq!(interfaces, 7, "only what both readings missed: {:?}", findings(&report));
}

#[tokio::test]
async fn what_is_missing_from_both_readings_goes_and_the_other_ids_stay() {
    let (stage, configs) = delivered().await;
    let before = stage.nodes();
    stage
        .lab
        .faults()
        .at(Service::Neutron)
        .get("/v2.0/ports")
        .times(2)
        .inject(Fault::OmitItems { count: 1 });
    stage.good_pass(&configs, PRUNE).await;
    let after = stage.nodes();
    let mut lost = 0;
    for (name, node) in before.as_object().unwrap() {
        let now = ids(&after[name]);
        for (mac, id) in ids(node) {
            lost += usize::from(!now.contains_key(&mac));
            assert!(now.get(&mac).is_none_or(|new| *new == id), "{mac} moved");
        }
    }
    assert_eq!(lost, 1);
    // It comes back when it is seen again, with the smallest free id: the one that it had.
    stage.good_pass(&configs, PRUNE).await;
    assert_eq!(stage.nodes(), before);
}

#[tokio::test]
async fn more_than_half_and_more_than_five_is_held_until_it_is_allowed() {
    let (stage, configs) = delivered().await;
    let before = stage.nodes();
    let cloud = stage.lab.cloud();
    let ports: Vec<_> = (1..=3)
        .flat_map(|n| cloud.ports_of(&CloudBuilder::sized_vm_name(n)).unwrap())
        .collect();
    for port in &ports {
        cloud.detach_port(port).unwrap();
    }
    let report = stage.pass(&configs, PRUNE).await;
    assert!(
        reasons(&report).contains(&"RemovalHeld".to_owned()),
        "{:?}",
        findings(&report)
    );
    assert!(report.outcome() >= Outcome::Warnings, "{:?}", report.outcome());
    assert_eq!(stage.nodes(), before);
    assert!(stage.receiver.posts().is_empty());

    stage.pass(&configs, ALLOWED).await;
    let after = stage.nodes();
    for n in 1..=3 {
        assert_eq!(
            after[CloudBuilder::sized_vm_name(n)]["interfaces"],
            Value::Array(vec![])
        );
    }
    assert_eq!(after["vm-00004"], before["vm-00004"]);
}

#[tokio::test]
async fn half_is_no_mass_and_five_are_none() {
    let (stage, configs) = delivered().await;
    let cloud = stage.lab.cloud();
    for port in (1..=2).flat_map(|n| cloud.ports_of(&CloudBuilder::sized_vm_name(n)).unwrap()) {
        cloud.delete_port(&port).unwrap();
    }
    let report = stage.pass(&configs, PRUNE).await;
    assert!(
        !reasons(&report).contains(&"RemovalHeld".to_owned()),
        "{:?}",
        findings(&report)
    );
    assert!(ids(&stage.nodes()["vm-00001"]).is_empty());
}

#[tokio::test]
async fn without_prune_nothing_goes_however_often_it_is_missed() {
    let (stage, configs) = delivered().await;
    let before = stage.nodes();
    stage.lab.cloud().delete_vm("vm-00003").unwrap();
    let port = stage.lab.cloud().ports_of("vm-00001").unwrap().remove(0);
    stage.lab.cloud().delete_port(&port).unwrap();
    for _ in 0..4 {
        let report = stage.pass(&configs, ADD).await;
        assert!(
            reasons(&report).contains(&"InterfaceKept".to_owned()),
            "{:?}",
            findings(&report)
        );
    }
    assert_eq!(stage.nodes(), before);
    assert!(stage.receiver.posts().is_empty());
}

#[tokio::test]
async fn an_empty_answer_of_any_listing_takes_nothing_away() {
    let (stage, configs) = delivered().await;
    let before = stage.nodes();
    for (service, path) in [
        (Service::Nova, "/servers"),
        (Service::Neutron, "/v2.0/subnets"),
        (Service::Neutron, "/v2.0/networks"),
        (Service::Neutron, "/v2.0/ports"),
    ] {
        for pruning in [ADD, PRUNE] {
            stage.lab.faults().clear();
            stage
                .lab
                .faults()
                .at(service)
                .get(path)
                .always()
                .inject(Fault::EmptyList);
            let report = stage.pass(&configs, pruning).await;
            assert!(report.outcome() > Outcome::Done, "{path}: {report:#?}");
            assert_eq!(stage.nodes(), before, "{path} {pruning:?}");
        }
    }
}

#[tokio::test]
async fn a_deleted_subnet_or_project_takes_nothing_away() {
    let (stage, configs) = delivered().await;
    let before = stage.nodes();
    stage.lab.cloud().delete_subnet(SEED_SUBNET_ID).unwrap();
    let report = stage.pass(&configs, ALLOWED).await;
    assert_eq!(report.outcome(), Outcome::Errors);
    assert!(
        reasons(&report).contains(&"SubnetNotFound".to_owned()),
        "{:?}",
        findings(&report)
    );
    let elsewhere = configs.map(|config| config.project("0000000000000000000000000000dead").provider(PROVIDER));
    let report = stage.pass(&elsewhere, ALLOWED).await;
    assert_eq!(report.outcome(), Outcome::Failed, "{PROJECT} is not there");
    assert_eq!(stage.nodes(), before);
}

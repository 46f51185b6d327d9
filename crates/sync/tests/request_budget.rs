//! How many requests a pass costs, counted by those who are asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests; the figures go to the log"
)]

mod common;

use common::{ADD, Cr, PRUNE, Stage};
use multinic_lab::{CloudBuilder, SEED_SUBNET_ID, Service};
use multinic_sync::Outcome;

/// What the cloud's services counted since the last call.
fn requests(stage: &Stage, what: &str) -> usize {
    let services = [Service::Contrabass, Service::Keystone, Service::Nova, Service::Neutron];
    let counts = services.map(|service| stage.lab.requests_to(service).len());
    stage.lab.clear_requests();
    let total = counts.iter().sum();
    let [contrabass, keystone, nova, neutron] = counts;
    println!("{what}: {total} = Contrabass {contrabass} + Keystone {keystone} + Nova {nova} + Neutron {neutron}");
    total
}

fn names(vms: usize) -> Vec<String> {
    (1..=vms).map(CloudBuilder::sized_vm_name).collect()
}

fn config(name: &str, subnet: &str, vms: usize) -> Cr {
    let names = names(vms);
    Cr::on_id(name, subnet, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Cold and warm passes of one config over `vms` VMs × 4 ports; the pages beyond the first are subtracted.
async fn cold_and_warm(vms: usize) -> (usize, usize) {
    let stage = Stage::new(CloudBuilder::sized(vms, 4));
    let configs = [config("all", SEED_SUBNET_ID, vms)];
    let mut figures = Vec::new();
    for what in ["cold", "warm"] {
        let report = stage.pass(&configs, ADD).await;
        assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
        let further = |request: &&multinic_lab::LoggedRequest| request.query().contains("marker=");
        let pages = stage.lab.requests().iter().filter(further).count();
        let total = requests(&stage, &format!("{vms} VMs x 4 ports, {what}, {pages} further pages"));
        figures.push(total - pages);
    }
    assert_eq!(stage.nodes().as_object().unwrap().len(), vms);
    assert_eq!(stage.posted().len(), vms, "the second pass sends nothing again");
    (figures[0], figures[1])
}

#[tokio::test]
async fn two_hundred_vms_cost_at_most_twelve_requests_cold_and_six_warm_and_more_vms_only_pages() {
    let (cold, warm) = cold_and_warm(200).await;
    assert!(cold <= 12, "{cold}");
    assert!(warm <= 6, "{warm}");
    assert_eq!(cold_and_warm(500).await, (cold, warm));
    assert_eq!(
        cold_and_warm(260).await,
        (cold, warm),
        "a first page that is not quite full, or more than full"
    );
}

#[tokio::test]
async fn few_vms_cost_at_most_as_much() {
    for vms in [1, 2, 3, 50, 100] {
        let (cold, warm) = cold_and_warm(vms).await;
        assert!(cold <= 12 && warm <= 6, "{vms} VMs: {cold}, {warm}");
    }
}

#[tokio::test]
async fn twenty_configs_over_twenty_subnets_cost_four_more_than_one_plus_one_per_subnet() {
    let stage = Stage::new(CloudBuilder::sized_over(120, 20));
    let configs: Vec<_> = (1..=20)
        .map(|n| config(&format!("c{n}"), &format!("sub-{n}"), 120))
        .collect();

    stage.good_pass(&configs[..1], ADD).await;
    let one = requests(&stage, "1 config, cold");
    let one_pages = 0;
    let fresh = Stage::new(CloudBuilder::sized_over(120, 20));
    fresh.good_pass(&configs, ADD).await;
    let pages = fresh
        .lab
        .requests()
        .iter()
        .filter(|r| r.query().contains("marker="))
        .count();
    let twenty = requests(
        &fresh,
        &format!("20 configs over 20 subnets, cold, {pages} further pages"),
    );
    assert!(twenty - pages <= one - one_pages + 4 + 19, "{twenty} against {one}");
    fresh.good_pass(&configs, ADD).await;
    requests(&fresh, "20 configs over 20 subnets, warm");
    let node = &fresh.nodes()[CloudBuilder::sized_vm_name(1)];
    assert_eq!(node["interfaces"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn twenty_configs_of_one_subnet_cost_four_more_than_one() {
    let stage = Stage::new(CloudBuilder::sized(120, 1));
    let name = |n: usize| CloudBuilder::sized_vm_name(n);
    let configs: Vec<_> = (0..20)
        .map(|c| {
            let vms: Vec<_> = (1..=6).map(|n| name(c * 6 + n)).collect();
            Cr::on_id(
                &format!("c{c}"),
                SEED_SUBNET_ID,
                &vms.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        })
        .collect();
    stage.good_pass(&configs[..1], ADD).await;
    let one = requests(&stage, "1 config of 6 VMs, cold");
    let fresh = Stage::new(CloudBuilder::sized(120, 1));
    fresh.good_pass(&configs, ADD).await;
    let twenty = requests(&fresh, "20 configs of 6 VMs on one subnet, cold");
    assert!(twenty <= one + 4, "{twenty} against {one}");
}

#[tokio::test]
async fn a_second_pass_that_finds_nothing_new_sends_no_post() {
    let stage = Stage::new(CloudBuilder::sized(20, 4));
    let configs = [config("all", SEED_SUBNET_ID, 20)];
    stage.good_pass(&configs, ADD).await;
    assert_eq!(stage.receiver.posts().len(), 1);
    for pruning in [ADD, PRUNE] {
        stage.receiver.clear_requests();
        stage.good_pass(&configs, pruning).await;
        let methods: Vec<_> = stage
            .receiver
            .requests()
            .into_iter()
            .map(|request| request.method)
            .collect();
        assert_eq!(methods, ["GET"], "{pruning:?}");
    }
}

#[tokio::test]
async fn a_pass_that_sees_a_removal_reads_twice_and_logs_in_once() {
    let stage = Stage::new(CloudBuilder::sized(120, 4));
    let configs = [config("all", SEED_SUBNET_ID, 120)];
    stage.good_pass(&configs, ADD).await;
    let cold = requests(&stage, "120 VMs x 4 ports, cold");
    let port = stage
        .lab
        .cloud()
        .ports_of(&CloudBuilder::sized_vm_name(7))
        .unwrap()
        .remove(0);
    stage.lab.cloud().detach_port(&port).unwrap();
    stage.good_pass(&configs, PRUNE).await;
    let twice = requests(&stage, "the same with one removal, warm, two readings");
    assert!(
        twice <= 1 + 2 * (cold - 2),
        "Contrabass once, no login, the reading twice: {twice}"
    );
}

#[tokio::test]
async fn two_projects_log_in_once_each_and_ask_contrabass_once() {
    let other = "00000000000000000000000000000abc";
    let cloud = CloudBuilder::sized(3, 1)
        .project(other, "other")
        .network("o")
        .subnet("other-sub", "10.200.0.0/24")
        .vm("other-1")
        .port("other-sub");
    let stage = Stage::new(cloud);
    let configs = [
        config("one", SEED_SUBNET_ID, 3),
        Cr::on_name("two", "other-sub", &["other-1"]).project(other),
    ];
    stage.good_pass(&configs, ADD).await;
    assert_eq!(stage.lab.requests_to(Service::Contrabass).len(), 1);
    assert_eq!(stage.lab.requests_to(Service::Keystone).len(), 2);
    requests(&stage, "two configs of two projects, cold");
}

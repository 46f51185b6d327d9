//! What a builder's sentence means, and what it does when it makes no sense.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_lab::{CloudBuilder, Lab, LabError, SEED_PROJECT};
use support::{admin, get};

fn base() -> CloudBuilder {
    CloudBuilder::new().provider("p").project(SEED_PROJECT, "biz")
}

#[test]
fn mistakes_are_reported_when_the_lab_starts() {
    let mistakes = [
        (CloudBuilder::new().vm("x"), ".vm() needs a project before it"),
        (base().mtu(1500), ".mtu() does not go with what stands before it"),
        (
            base().vm("x").mtu(1500),
            ".mtu() does not go with what stands before it",
        ),
        (
            base().network("n").subnet("s", "10.0.0.0"),
            "\"10.0.0.0\" is not a CIDR",
        ),
        (
            base()
                .network("n")
                .subnet("s", "10.0.0.0/24")
                .vm("x")
                .port("s")
                .address("ten"),
            "\"ten\" is not an address",
        ),
    ];
    for (cloud, problem) in mistakes {
        let error = Lab::start(cloud).unwrap_err().to_string();
        assert_eq!(error, format!("failed to build the cloud: {problem}"));
    }
}

#[test]
fn unknown_ambiguous_and_full_are_told_apart() {
    let cloud = || {
        base()
            .network("n")
            .subnet("s", "10.0.0.0/28")
            .subnet("twice", "10.1.0.0/24")
            .subnet("twice", "10.2.0.0/24")
    };
    assert!(matches!(
        Lab::start(cloud().vm("x").port("none")),
        Err(LabError::Unknown { kind: "subnet", .. })
    ));
    assert!(matches!(
        Lab::start(cloud().vm("x").port("twice")),
        Err(LabError::Ambiguous { kind: "subnet", .. })
    ));
    let full = (0..6).fold(cloud().vm("x"), |cloud, _| cloud.port("s"));
    assert!(matches!(Lab::start(full), Err(LabError::SubnetFull(_))));
    let lab = Lab::start(cloud().vm("x").vm("x")).unwrap();
    assert!(matches!(
        lab.cloud().rename_vm("x", "y"),
        Err(LabError::Ambiguous { kind: "VM", .. })
    ));
    assert!(matches!(
        lab.cloud().delete_port("x"),
        Err(LabError::Unknown { kind: "port", .. })
    ));
}

#[test]
fn what_is_said_about_a_port_is_what_neutron_says() {
    let cloud = base()
        .network("n")
        .mtu(9000)
        .subnet("v4", "10.0.0.0/24")
        .id("v4-id")
        .subnet("v6", "fd00::/64")
        .slaac()
        .vm("x")
        .id("x-id")
        .port("v4")
        .id("port-id")
        .named("first")
        .mac("FA-16-3E-00-00-01")
        .status("BUILD")
        .address("10.0.0.77")
        .created_at(0)
        .owned_by(SEED_PROJECT);
    let lab = Lab::start(cloud).unwrap();
    let token = admin(&lab);
    let port = &get(&lab, &token, "/v2.0/ports/port-id").json()["port"];
    let text = |key: &str| port[key].as_str().unwrap().to_owned();
    assert_eq!(
        (text("name"), text("mac_address"), text("status")),
        ("first".into(), "FA-16-3E-00-00-01".into(), "BUILD".into())
    );
    assert_eq!(
        (text("device_id"), text("created_at")),
        ("x-id".into(), "1970-01-01T00:00:00Z".into())
    );
    assert_eq!(
        (
            port["fixed_ips"][0]["subnet_id"].as_str(),
            port["fixed_ips"][0]["ip_address"].as_str()
        ),
        (Some("v4-id"), Some("10.0.0.77"))
    );
    assert_eq!(
        get(&lab, &token, "/v2.0/networks?fields=mtu").json()["networks"][0]["mtu"],
        9000
    );
}

#[test]
fn a_slaac_subnet_gives_every_port_of_its_network_an_address_from_its_mac() {
    let cloud = base()
        .network("n")
        .subnet("v4", "10.0.0.0/24")
        .subnet("v6", "fd00:20::/64")
        .slaac()
        .id("v6-id");
    let lab = Lab::start(cloud.vm("x").port("v4").mac("fa:16:3e:de:45:e1")).unwrap();
    let ports = get(&lab, &admin(&lab), "/v2.0/ports").json();
    assert_eq!(
        ports["ports"][0]["fixed_ips"][1]["ip_address"],
        "fd00:20::f816:3eff:fede:45e1"
    );
}

#[test]
fn a_sized_cloud_has_its_size() {
    let lab = Lab::start(CloudBuilder::sized(300, 4)).unwrap();
    assert_eq!(lab.cloud().counts(), (300, 1200));
    let token = admin(&lab);
    let macs = get(&lab, &token, "/v2.0/ports?fields=mac_address").column("ports", "mac_address");
    assert_eq!(macs.iter().collect::<std::collections::BTreeSet<_>>().len(), 1200);
}

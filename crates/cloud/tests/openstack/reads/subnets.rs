//! Which subnets are the project's own, and which can be used.

use crate::support::{
    recorded,
    world::{
        NETWORK, NETWORKS, OTHER_PROJECT, PORTS, PROJECT, SUBNET, SUBNETS, World, by_id, named, network, page, port,
        request, request_for, server_id, subnet,
    },
};
use multinic_model::inventory::SubnetLookup;
use serde_json::json;

#[tokio::test]
async fn fact_11_other_projects_subnets_and_foreign_ports_are_not_ours() {
    let foreign = "00000000-0000-4000-8000-000000005001";
    let mut row = subnet(foreign, "data", OTHER_PROJECT);
    row["network_id"] = "00000000-0000-4000-8000-000000004001".into();
    let mut other_network = network(OTHER_PROJECT, false);
    other_network["id"] = row["network_id"].clone();
    let (mut stray, mut elsewhere) = (port(7), port(2));
    stray["device_id"] = server_id(7).into();
    elsewhere["fixed_ips"][0]["subnet_id"] = foreign.into();
    let running = World::default()
        .answers(SUBNETS, vec![page("subnets", &[row, subnet(SUBNET, "data", PROJECT)])])
        .answers(
            NETWORKS,
            vec![page("networks", &[other_network, network(PROJECT, false)])],
        )
        .answers(PORTS, vec![page("ports", &[port(1), stray, elsewhere])])
        .start()
        .await;
    let request = request_for(&["vm-01", "vm-02"], &[by_id(foreign), named("data")]);
    let inventory = running.read(&request).await.unwrap();
    assert_eq!(inventory.subnets[&by_id(foreign)], SubnetLookup::NotFound);
    assert!(matches!(&inventory.subnets[&named("data")], SubnetLookup::Found(found) if found.id.as_str() == SUBNET));
    assert_eq!(inventory.ports.len(), 1, "{:?}", inventory.ports);
}

#[tokio::test]
async fn a_subnet_counts_by_its_network_or_by_sharing_too() {
    for (network_of, shared, found) in [
        (PROJECT, false, true),
        (OTHER_PROJECT, true, true),
        (OTHER_PROJECT, false, false),
    ] {
        let running = World::default()
            .answers(SUBNETS, vec![page("subnets", &[subnet(SUBNET, "data", OTHER_PROJECT)])])
            .answers(NETWORKS, vec![page("networks", &[network(network_of, shared)])])
            .start()
            .await;
        let request = request_for(&["vm-01"], &[by_id(SUBNET), named("data")]);
        let subnets = running.read(&request).await.unwrap().subnets;
        for selector in [by_id(SUBNET), named("data")] {
            let is_found = matches!(subnets[&selector], SubnetLookup::Found(_));
            assert_eq!(is_found, found, "{selector:?} {network_of} {shared}");
        }
    }
}

#[tokio::test]
async fn fact_17_two_subnets_of_one_name_are_ambiguous_with_their_candidates() {
    let running = World::default()
        .answers(SUBNETS, vec![recorded("neutron-subnets-same-name")])
        .start()
        .await;
    let request = request_for(
        &["vm-01"],
        &[named("biz-shared-name"), named("BIZ-SHARED-NAME"), named("")],
    );
    let subnets = running.read(&request).await.unwrap().subnets;
    let SubnetLookup::Ambiguous(candidates) = &subnets[&named("biz-shared-name")] else {
        panic!("{subnets:?}")
    };
    let cidrs: Vec<_> = candidates.iter().map(|candidate| candidate.cidr.to_string()).collect();
    assert_eq!(cidrs, ["10.11.0.0/24", "10.32.0.0/24"]);
    assert_eq!(
        subnets[&named("BIZ-SHARED-NAME")],
        SubnetLookup::NotFound,
        "the database ignores case, we do not"
    );
    assert_eq!(subnets[&named("")], SubnetLookup::NotFound);
}

#[tokio::test]
async fn an_unusable_mtu_or_cidr_is_said_and_not_guessed() {
    for (key, value, wanted) in [
        ("mtu", json!(null), "no MTU"),
        ("mtu", json!(0), "68 to 65535"),
        ("mtu", json!("1500"), "no MTU"),
        ("cidr", json!("nonsense"), "CIDR"),
    ] {
        let (mut network, mut subnet) = (network(PROJECT, false), subnet(SUBNET, "data", PROJECT));
        if key == "mtu" {
            network[key] = value;
        } else {
            subnet[key] = value;
        }
        let running = World::default()
            .answers(SUBNETS, vec![page("subnets", &[subnet])])
            .answers(NETWORKS, vec![page("networks", &[network])])
            .start()
            .await;
        let inventory = running.read(&request()).await.unwrap();
        let SubnetLookup::Unusable { problem } = &inventory.subnets[&by_id(SUBNET)] else {
            panic!("{inventory:?}")
        };
        assert!(problem.contains(wanted), "{problem}");
    }
}

#[tokio::test]
async fn a_malformed_subnet_id_is_not_found_and_disturbs_nobody() {
    let running = World::default().start().await;
    let request = request_for(&["vm-01"], &[by_id("subnet-uuid"), by_id(SUBNET)]);
    let inventory = running.read(&request).await.unwrap();
    assert_eq!(inventory.subnets[&by_id("subnet-uuid")], SubnetLookup::NotFound);
    assert!(matches!(inventory.subnets[&by_id(SUBNET)], SubnetLookup::Found(_)));
}

#[tokio::test]
async fn a_network_that_is_gone_makes_its_subnet_unusable() {
    let running = World::default()
        .answers(NETWORKS, vec![page("networks", &[])])
        .start()
        .await;
    let inventory = running.read(&request()).await.unwrap();
    let SubnetLookup::Unusable { problem } = &inventory.subnets[&by_id(SUBNET)] else {
        panic!("{inventory:?}")
    };
    assert!(problem.contains(NETWORK), "{problem}");
}

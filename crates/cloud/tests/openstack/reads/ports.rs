//! Ports, as they were recorded and as nobody expects them.

use crate::support::{
    recorded, recorded_body,
    world::{NETWORKS, PORTS, SERVERS, SUBNET, SUBNETS, World, by_id, page, port, request, request_for, server_id},
};
use multinic_model::inventory::PortStatus;
use serde_json::{Value, json};

#[tokio::test]
async fn a_port_that_cannot_be_understood_is_listed_as_such() {
    let odd = |key: &str, value: Value| {
        let mut port = port(1);
        port[key] = value;
        port
    };
    for row in [
        odd("mac_address", json!(null)),
        odd("mac_address", json!(7)),
        odd("mac_address", json!("ff:ff:ff:ff:ff:ff")),
        odd("id", json!("no-uuid")),
        odd("fixed_ips", json!("10.0.0.1")),
        odd("fixed_ips", json!([{"subnet_id": SUBNET, "ip_address": "10.0.0.300"}])),
        odd("created_at", json!("yesterday")),
    ] {
        let running = World::default()
            .answers(PORTS, vec![page("ports", &[row.clone(), port(2)])])
            .start()
            .await;
        let inventory = running.read(&request()).await.unwrap();
        assert_eq!((inventory.unreadable.len(), inventory.ports.len()), (1, 1), "{row}");
        assert_eq!(inventory.unreadable[0].device_id.as_str(), server_id(1));
    }
}

#[tokio::test]
async fn fact_15_and_17_recorded_ports_are_read_as_they_are() {
    let build = recorded_body("neutron-port-build")["port"].clone();
    let dual = recorded_body("neutron-port-active-dual-stack")["port"].clone();
    let mut subnets = recorded_body("neutron-subnets-two-ids")["subnets"]
        .as_array()
        .unwrap()
        .clone();
    let mut third = subnets[0].clone();
    third["id"] = build["fixed_ips"][0]["subnet_id"].clone();
    subnets.push(third);
    let ids: Vec<_> = subnets
        .iter()
        .map(|subnet| by_id(subnet["id"].as_str().unwrap()))
        .collect();
    let rows = [&build, &dual].map(|port| json!({"id": port["device_id"], "name": "recorded"}));
    let running = World::default()
        .answers(SERVERS, vec![page("servers", &rows)])
        .answers(SUBNETS, vec![page("subnets", &subnets)])
        .answers(NETWORKS, vec![recorded("neutron-networks")])
        .answers(PORTS, vec![page("ports", &[build, dual])])
        .start()
        .await;
    let inventory = running.read(&request_for(&["recorded"], &ids)).await.unwrap();
    let dual = inventory
        .ports
        .values()
        .find(|port| port.status == PortStatus::Active)
        .unwrap();
    assert_eq!(dual.fixed_ips.iter().filter(|ip| ip.address.is_ipv6()).count(), 1);
    assert_eq!(dual.fixed_ips.len(), 2);
    assert!(
        inventory.ports.values().any(|port| port.status == PortStatus::Build),
        "{:?}",
        inventory.ports
    );
}

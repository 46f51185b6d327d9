//! A whole reading: what is asked, and how the answers become an inventory.

use crate::support::{
    Answer, recorded,
    world::{NETWORKS, PORTS, PROJECT, SERVERS, SUBNET, SUBNETS, World, by_id, page, request, request_for, server_id},
};
use multinic_model::inventory::{PortStatus, SubnetLookup};
use serde_json::json;

#[tokio::test]
async fn a_small_project_becomes_an_inventory() {
    let running = World::default().start().await;
    let inventory = running.read(&request()).await.unwrap();
    assert_eq!(inventory.project.to_string(), PROJECT);
    assert_eq!(inventory.servers.len(), 3);
    let SubnetLookup::Found(found) = &inventory.subnets[&by_id(SUBNET)] else {
        panic!("{inventory:?}")
    };
    assert_eq!(
        (found.mtu.get(), found.cidr.to_string().as_str()),
        (1450, "10.0.0.0/24")
    );
    let first = inventory.ports.values().next().unwrap();
    assert_eq!(first.device_id.as_str(), server_id(1));
    assert_eq!((first.status, first.created_at), (PortStatus::Active, 1_795_353_616));
    assert_eq!(first.fixed_ips[0].address.to_string(), "10.0.0.1");
    assert!(inventory.unreadable.is_empty());
}

#[tokio::test]
async fn fact_13_and_14_filters_and_fields_are_repeated_never_joined_or_empty() {
    let running = World::default().start().await;
    running.read(&request()).await.unwrap();
    let ports = &running.server.on("/ports")[0];
    assert_eq!(
        ports.all("fields"),
        ["id", "mac_address", "device_id", "status", "fixed_ips", "created_at"]
    );
    assert_eq!(ports.all("device_id"), [server_id(1), server_id(2), server_id(3)]);
    assert_eq!(ports.all("fixed_ips"), [format!("subnet_id={SUBNET}")]);
    assert!(
        ports.all("project_id").is_empty() && ports.all("tenant_id").is_empty(),
        "an administrator may own a port"
    );
    assert!(
        running
            .server
            .seen()
            .iter()
            .all(|seen| seen.query.iter().all(|(_, value)| !value.contains(',')))
    );
}

#[tokio::test]
async fn fact_14_empty_objects_for_an_answer_are_an_error() {
    let running = World::default()
        .answers(PORTS, vec![recorded("neutron-ports-fields-comma")])
        .start()
        .await;
    let error = running.read(&request()).await.unwrap_err();
    assert_eq!(error.category(), "body", "{error}");
}

#[tokio::test]
async fn an_answer_without_its_key_is_an_error_and_never_an_empty_list() {
    for path in [SUBNETS, NETWORKS, PORTS, SERVERS] {
        for body in [json!({}), json!({"other": []}), json!([]), json!(null)] {
            let running = World::default()
                .answers(path, vec![Answer::json(200, &body)])
                .start()
                .await;
            let error = running.read(&request()).await.unwrap_err();
            assert_eq!(error.category(), "body", "{path} {body}: {error}");
        }
    }
}

#[tokio::test]
async fn without_servers_no_port_is_asked_for() {
    let running = World::default()
        .answers(SERVERS, vec![page("servers", &[])])
        .start()
        .await;
    let inventory = running.read(&request()).await.unwrap();
    assert!(inventory.servers.is_empty() && inventory.ports.is_empty());
    assert!(
        running.server.on("/ports").is_empty(),
        "device_id= would mean ports without a device"
    );
}

#[tokio::test]
async fn more_than_a_hundred_vms_are_read_side_by_side_by_subnet_alone() {
    let names: Vec<_> = (1..=200).map(|n| format!("vm-{n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let running = World::default().start().await;
    let cloud = running.cloud();
    let inventory = cloud
        .read(&running.credentials(), &request_for(&names, &[by_id(SUBNET)]))
        .await
        .unwrap();
    assert_eq!(inventory.ports.len(), 3);
    assert!(running.server.on("/ports")[0].all("device_id").is_empty());
    assert_eq!(cloud.requests().total(), 5);
}

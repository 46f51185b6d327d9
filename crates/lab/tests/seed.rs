//! The ready-made cloud, from Contrabass to a port.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_lab::{CloudBuilder, DEMO_ADMIN_PW, Lab, SEED_PROVIDER, SEED_SUBNET_ID, Service};
use serde_json::json;
use support::{admin, ask, get};

#[test]
fn the_seed_is_reached_hop_by_hop() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let provider = ask(
        "GET",
        &format!("{}/api/providers/{SEED_PROVIDER}", lab.contrabass_url()),
        &[],
        "",
    );
    let attributes = json!({"adminId": "admin", "adminPw": DEMO_ADMIN_PW, "domain": "default"});
    assert_eq!(
        provider.json(),
        json!({"data": {"url": lab.keystone_url(), "attributes": attributes}})
    );

    let token = admin(&lab);
    let servers = get(&lab, &token, "/v2.1/servers");
    let names = ["measure-biz-worker-3", "measure-biz-worker-2", "measure-biz-master-1"];
    assert_eq!(servers.column("servers", "name"), names);

    let subnet = get(&lab, &token, "/v2.0/subnets?name=test-sub").json();
    assert_eq!(subnet["subnets"][0]["id"], SEED_SUBNET_ID);
    let ports = get(
        &lab,
        &token,
        "/v2.0/ports?fixed_ips=subnet_id%3Dsubnet-uuid&fields=mac_address&fields=device_id",
    );
    assert_eq!(ports.column("ports", "device_id").len(), 4);

    let asked: Vec<_> = lab
        .requests()
        .iter()
        .map(|request| (request.service, request.status))
        .collect();
    let expected = [
        Service::Contrabass,
        Service::Keystone,
        Service::Nova,
        Service::Neutron,
        Service::Neutron,
    ];
    assert_eq!(
        asked,
        expected.map(|service| (service, Some(if service == Service::Keystone { 201 } else { 200 })))
    );
}

#[test]
fn a_cloud_changes_while_it_runs() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let port = lab.cloud().attach_port("measure-biz-worker-3", "test-sub").unwrap();
    lab.cloud().rename_vm("measure-biz-worker-3", "renamed").unwrap();
    let id = lab.cloud().vm_id("renamed").unwrap();
    let ports = get(&lab, &token, &format!("/v2.0/ports?device_id={id}&fields=id")).column("ports", "id");
    assert_eq!(ports, lab.cloud().ports_of("renamed").unwrap());
    assert!(ports.contains(&port) && ports.len() == 3);

    lab.cloud().set_port_status(&port, "BUILD").unwrap();
    let body = get(&lab, &token, &format!("/v2.0/ports/{port}")).json();
    assert_eq!(
        (
            body["port"]["status"].as_str(),
            body["port"]["revision_number"].as_u64()
        ),
        (Some("BUILD"), Some(2))
    );
    assert!(body["port"]["updated_at"].as_str() > body["port"]["created_at"].as_str());
    lab.cloud().detach_port(&port).unwrap();
    assert_eq!(
        get(&lab, &token, &format!("/v2.0/ports?device_id={id}"))
            .column("ports", "id")
            .len(),
        2
    );

    let added = lab
        .cloud()
        .add(
            CloudBuilder::new()
                .in_project(multinic_lab::SEED_PROJECT)
                .vm("new")
                .port("test-sub"),
        )
        .unwrap();
    assert_eq!(
        get(&lab, &token, "/v2.1/servers?name=%5Enew%24").column("servers", "id"),
        added.vms
    );
    lab.cloud().delete_vm("new").unwrap();
    assert_eq!(
        get(&lab, &token, &format!("/v2.1/servers/{}", added.vms[0])).status,
        404
    );
}

#[test]
fn two_labs_are_byte_for_byte_the_same_but_for_their_addresses() {
    let bodies = [(); 2].map(|()| {
        let lab = Lab::start(CloudBuilder::seed()).unwrap();
        let token = admin(&lab);
        let servers = get(&lab, &token, "/v2.1/servers/detail")
            .body
            .replace(&lab.nova_url().replace("/v2.1", ""), "");
        (servers, get(&lab, &token, "/v2.0/ports").body)
    });
    assert_eq!(bodies[0], bodies[1]);
}

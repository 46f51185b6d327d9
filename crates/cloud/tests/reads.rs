//! What is asked, and how answers become an inventory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_cloud::CloudError;
use multinic_model::{
    SubnetSelector,
    inventory::{PortStatus, SubnetLookup},
};
use serde_json::{Value, json};
use support::{
    Answer, recorded, recorded_body,
    world::{
        NETWORK, NETWORKS, OTHER_PROJECT, PORTS, PROJECT, SERVERS, SUBNET, SUBNETS, World, network, port, request,
        request_for, server_id, subnet,
    },
};

fn by_id(id: &str) -> SubnetSelector {
    SubnetSelector::Id(id.parse().unwrap())
}

fn named(name: &str) -> SubnetSelector {
    SubnetSelector::Name(name.into())
}

fn page(key: &str, items: &[Value]) -> Answer {
    Answer::json(200, &json!({key: items}))
}

/// A page of `key` with a link to the next one.
fn page_before(key: &str, items: &[Value], marker: &str) -> Answer {
    let href = format!("http://some-proxy.example.com/x?limit=2&marker={marker}");
    Answer::json(
        200,
        &json!({key: items, format!("{key}_links"): [{"rel": "next", "href": href}]}),
    )
}

#[tokio::test]
async fn a_small_project_becomes_an_inventory() {
    let running = World::default().start().await;
    let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
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
    running.cloud().read(&running.credentials(), &request()).await.unwrap();
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
    let error = running
        .cloud()
        .read(&running.credentials(), &request())
        .await
        .unwrap_err();
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
            let error = running
                .cloud()
                .read(&running.credentials(), &request())
                .await
                .unwrap_err();
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
    let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
    assert!(inventory.servers.is_empty() && inventory.ports.is_empty());
    assert!(
        running.server.on("/ports").is_empty(),
        "device_id= would mean ports without a device"
    );
}

#[tokio::test]
async fn fact_2_many_servers_are_asked_for_in_targets_that_every_server_takes() {
    let server = |n: usize| json!({"id": format!("00000000-0000-4000-8000-{n:012}"), "name": "same-name"});
    let servers: Vec<_> = (0..450).map(server).collect();
    let running = World::default()
        .answers(SERVERS, vec![page("servers", &servers)])
        .start()
        .await;
    let subnets: Vec<_> = (0..90)
        .map(|n| named(&format!("subnet-with-a-rather-long-name-in-hangul-네트워크-{n}")))
        .collect();
    let inventory = running
        .cloud()
        .read(&running.credentials(), &request_for(&["same-name"], &subnets))
        .await
        .unwrap();
    assert_eq!(inventory.servers.len(), 450, "every server of the name is kept");
    running
        .cloud()
        .read(&running.credentials(), &request_for(&["same-name"], &[by_id(SUBNET)]))
        .await
        .unwrap();
    let seen = running.server.seen();
    assert!(
        seen.iter().all(|seen| seen.target.len() < 8000),
        "{:?}",
        seen.iter().map(|s| s.target.len()).max()
    );
    let asked: Vec<_> = seen.iter().flat_map(|seen| seen.all("device_id")).collect();
    assert_eq!(asked.len(), 450);
    assert_eq!(running.server.on("/ports").len(), 5);
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

#[tokio::test]
async fn fact_6_a_list_that_nova_cuts_is_followed_by_its_marker() {
    let last = page("servers", &[]);
    let answers = vec![
        recorded("nova-max-limit-2-default-page"),
        recorded("nova-max-limit-2-next"),
        last,
    ];
    let running = World::default().answers(SERVERS, answers).start().await;
    let request = request_for(&["dup-vm", "measure-biz-worker-3", "bare"], &[by_id(SUBNET)]);
    let inventory = running.cloud().read(&running.credentials(), &request).await.unwrap();
    assert_eq!(
        inventory.servers.len(),
        3,
        "two of one name, one of another; what is not wanted is not kept"
    );
    let markers: Vec<_> = running
        .server
        .on("/servers")
        .iter()
        .map(|seen| seen.query.clone())
        .collect();
    let marker = |id: &str| vec![("marker".to_owned(), id.to_owned())];
    assert_eq!(
        markers,
        [
            vec![],
            marker("10bc395d-62eb-4c7b-92aa-24f713bbc303"),
            marker("dfb1489a-d5b2-4df8-bcc6-043c7a0295d9"),
        ]
    );
}

#[tokio::test]
async fn fact_5_the_last_page_of_nova_may_be_empty() {
    let running = World::default().answers(
        "/compute/v2.1/servers/detail",
        vec![
            recorded("nova-detail-limit-1"),
            recorded("nova-detail-limit-1-page-2"),
            recorded("nova-detail-limit-1-last-page"),
        ],
    );
    let mut running = running.start().await;
    running.settings.node_name_metadata_key = Some("node".into());
    let request = request_for(&["clone-template", "dup-vm"], &[]);
    let inventory = running.cloud().read(&running.credentials(), &request).await.unwrap();
    assert_eq!(inventory.servers.len(), 2);
    assert_eq!(running.server.on("/servers/detail").len(), 3);
}

#[tokio::test]
async fn fact_7_and_10_servers_are_listed_without_any_filter() {
    let running = World::default().start().await;
    running
        .cloud()
        .read(&running.credentials(), &request_for(&["vm-01", ".*", "a|b"], &[]))
        .await
        .unwrap();
    let seen = &running.server.on("/servers")[0];
    assert!(
        seen.query.is_empty(),
        "a filter or a limit hides servers of cells that are down: {}",
        seen.target
    );
}

#[tokio::test]
async fn fact_8_nova_is_asked_in_a_microversion_that_admits_what_it_cannot_say() {
    let running = World::default().start().await;
    running.cloud().read(&running.credentials(), &request()).await.unwrap();
    assert_eq!(
        running.server.on("/servers")[0].headers["openstack-api-version"],
        "compute 2.69"
    );
    let running = World::default()
        .answers(SERVERS, vec![recorded("nova-microversion-too-high")])
        .start()
        .await;
    let error = running
        .cloud()
        .read(&running.credentials(), &request())
        .await
        .unwrap_err();
    assert!(error.hint().unwrap().contains("2.69"), "{error}");
}

#[tokio::test]
async fn a_server_whose_cell_is_down_fails_the_reading() {
    let answer = page(
        "servers",
        &[json!({"id": server_id(1), "status": "UNKNOWN", "links": []})],
    );
    let running = World::default().answers(SERVERS, vec![answer]).start().await;
    let error = running
        .cloud()
        .read(&running.credentials(), &request())
        .await
        .unwrap_err();
    assert!(matches!(error, CloudError::PartialAnswer { .. }), "{error}");
}

#[tokio::test]
async fn few_servers_by_uuid_are_asked_for_one_by_one_and_checked() {
    let (own, foreign, gone) = (server_id(1), "285c1797-9b1c-4735-8f15-2c370df0bb1a", server_id(9));
    let one = |id: &str| format!("{SERVERS}/{id}");
    let running = World::default()
        .answers(&one(foreign), vec![recorded("nova-server-of-other-project-admin")])
        .answers(&one(&gone), vec![recorded("nova-server-404")])
        .start()
        .await;
    let cloud = running.cloud();
    let read = async |vms: &[&str]| {
        cloud
            .read(&running.credentials(), &request_for(vms, &[]))
            .await
            .unwrap()
            .servers
    };
    assert_eq!(read(&[&own]).await.len(), 1);
    assert!(running.server.on("/servers").is_empty());
    assert!(
        read(&[foreign]).await.is_empty(),
        "an administrator is shown another project's server"
    );
    assert!(read(&[&gone]).await.is_empty());
    assert_eq!(
        running.server.on("/servers").len(),
        2,
        "what is no id here may be a name"
    );
}

#[tokio::test]
async fn fact_9_a_deleted_server_is_absent() {
    for status in ["DELETED", "SOFT_DELETED"] {
        let body = json!({"server": {"id": server_id(1), "name": "x", "status": status, "tenant_id": PROJECT}});
        let running = World::default()
            .answers(&format!("{SERVERS}/{}", server_id(1)), vec![Answer::json(200, &body)])
            .start()
            .await;
        let request = request_for(&[&server_id(1), "x"], &[]);
        let by_id_only = request_for(&[&server_id(1)], &[]);
        assert_eq!(
            running
                .cloud()
                .read(&running.credentials(), &request)
                .await
                .unwrap()
                .servers
                .len(),
            1,
            "from the list"
        );
        let servers = running
            .cloud()
            .read(&running.credentials(), &by_id_only)
            .await
            .unwrap()
            .servers;
        assert_eq!(
            servers[&server_id(1).parse().unwrap()].name,
            "vm-01",
            "{status}: from the list, not the deleted one"
        );
    }
}

#[tokio::test]
async fn the_node_name_comes_from_the_metadata_key_if_it_is_there_and_not_empty() {
    let detail = |n, metadata: Value| json!({"id": server_id(n), "name": format!("vm-0{n}"), "tenant_id": PROJECT, "status": "ACTIVE", "metadata": metadata});
    let rows = [
        detail(1, json!({"node": "worker-1", "x": "y"})),
        detail(2, json!({"node": ""})),
        detail(3, json!({})),
    ];
    let path = "/compute/v2.1/servers/detail";
    let mut running = World::default()
        .answers(path, vec![page("servers", &rows)])
        .start()
        .await;
    running.settings.node_name_metadata_key = Some("node".into());
    let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
    let names: Vec<_> = inventory
        .servers
        .values()
        .map(|server| server.metadata_node_name.as_deref())
        .collect();
    assert_eq!(names, [Some("worker-1"), None, None]);
}

#[tokio::test]
async fn fact_12_neutron_is_read_to_its_empty_last_page() {
    let running = World::default()
        .answers(
            PORTS,
            vec![
                recorded("neutron-ports-limit-2"),
                recorded("neutron-ports-limit-2-page-2"),
                recorded("neutron-ports-limit-2-last-page"),
            ],
        )
        .start()
        .await;
    running.cloud().read(&running.credentials(), &request()).await.unwrap();
    let markers: Vec<_> = running
        .server
        .on("/ports")
        .iter()
        .map(|seen| seen.all("marker").join(" "))
        .collect();
    assert_eq!(
        markers,
        [
            "",
            "1fcb23fe-a8bd-40a6-af68-5cef1932564a",
            "345dcad1-552d-4f22-bdb6-30e297501bf7"
        ]
    );
    let page = &running.server.on("/ports")[1];
    assert_eq!(
        (page.all("limit"), page.all("device_id").len()),
        (vec!["1000"], 3),
        "each page is asked for alike"
    );
}

#[tokio::test]
async fn fact_12_a_marker_that_vanished_begins_the_listing_again() {
    let running = World::default()
        .answers(
            PORTS,
            vec![
                page_before("ports", &[port(1)], "m1"),
                recorded("neutron-ports-marker-unknown"),
                page("ports", &[port(2), port(3)]),
            ],
        )
        .start()
        .await;
    let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
    assert_eq!(inventory.ports.len(), 2, "the first, broken walk is not used");
}

#[tokio::test]
async fn pages_that_go_round_in_a_circle_or_never_end_are_an_error() {
    let circle = vec![
        page_before("ports", &[port(1)], "m1"),
        page_before("ports", &[port(2)], "m1"),
    ];
    let running = World::default().answers(PORTS, circle).start().await;
    let error = running
        .cloud()
        .read(&running.credentials(), &request())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, CloudError::PageLoop { marker, .. } if marker == "m1"),
        "{error}"
    );

    let endless = |_: &support::Seen, n: usize| page_before("ports", &[], &format!("m{n}"));
    let mut running = World::default().on(PORTS, endless).start().await;
    running.settings.max_pages = 7;
    let error = running
        .cloud()
        .read(&running.credentials(), &request())
        .await
        .unwrap_err();
    assert!(matches!(error, CloudError::TooManyPages { max: 7, .. }), "{error}");
    assert_eq!(running.server.on("/ports").len(), 7);

    let no_marker = json!({"ports": [], "ports_links": [{"rel": "next", "href": "http://x/ports"}]});
    let running = World::default()
        .answers(PORTS, vec![Answer::json(200, &no_marker)])
        .start()
        .await;
    let error = running
        .cloud()
        .read(&running.credentials(), &request())
        .await
        .unwrap_err();
    assert!(matches!(error, CloudError::PageWithoutMarker { .. }), "{error}");
}

#[tokio::test]
async fn a_port_seen_on_two_pages_is_the_later_one() {
    let mut moved = port(1);
    moved["status"] = "DOWN".into();
    let answers = vec![page_before("ports", &[port(1)], "m1"), page("ports", &[moved])];
    let running = World::default().answers(PORTS, answers).start().await;
    let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
    assert_eq!(
        inventory.ports.values().map(|port| port.status).collect::<Vec<_>>(),
        [PortStatus::Down]
    );
}

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
    let inventory = running.cloud().read(&running.credentials(), &request).await.unwrap();
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
        let subnets = running
            .cloud()
            .read(&running.credentials(), &request)
            .await
            .unwrap()
            .subnets;
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
    let subnets = running
        .cloud()
        .read(&running.credentials(), &request)
        .await
        .unwrap()
        .subnets;
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
        let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
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
    let inventory = running.cloud().read(&running.credentials(), &request).await.unwrap();
    assert_eq!(inventory.subnets[&by_id("subnet-uuid")], SubnetLookup::NotFound);
    assert!(matches!(inventory.subnets[&by_id(SUBNET)], SubnetLookup::Found(_)));
}

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
        let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
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
    let inventory = running
        .cloud()
        .read(&running.credentials(), &request_for(&["recorded"], &ids))
        .await
        .unwrap();
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

#[tokio::test]
async fn a_network_that_is_gone_makes_its_subnet_unusable() {
    let running = World::default()
        .answers(NETWORKS, vec![page("networks", &[])])
        .start()
        .await;
    let inventory = running.cloud().read(&running.credentials(), &request()).await.unwrap();
    let SubnetLookup::Unusable { problem } = &inventory.subnets[&by_id(SUBNET)] else {
        panic!("{inventory:?}")
    };
    assert!(problem.contains(NETWORK), "{problem}");
}

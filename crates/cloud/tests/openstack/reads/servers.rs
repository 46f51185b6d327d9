//! How servers are asked for, and which of them count.

use crate::support::{
    Answer, recorded,
    world::{PROJECT, SERVERS, SUBNET, World, by_id, named, page, request, request_for, server_id},
};
use multinic_cloud::CloudError;
use serde_json::{Value, json};

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
    let inventory = running.read(&request_for(&["same-name"], &subnets)).await.unwrap();
    assert_eq!(inventory.servers.len(), 450, "every server of the name is kept");
    running
        .read(&request_for(&["same-name"], &[by_id(SUBNET)]))
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
async fn fact_6_a_list_that_nova_cuts_is_followed_by_its_marker() {
    let last = page("servers", &[]);
    let answers = vec![
        recorded("nova-max-limit-2-default-page"),
        recorded("nova-max-limit-2-next"),
        last,
    ];
    let running = World::default().answers(SERVERS, answers).start().await;
    let request = request_for(&["dup-vm", "measure-biz-worker-3", "bare"], &[by_id(SUBNET)]);
    let inventory = running.read(&request).await.unwrap();
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
    let inventory = running.read(&request).await.unwrap();
    assert_eq!(inventory.servers.len(), 2);
    assert_eq!(running.server.on("/servers/detail").len(), 3);
}

#[tokio::test]
async fn fact_7_and_10_servers_are_listed_without_any_filter() {
    let running = World::default().start().await;
    running.read(&request_for(&["vm-01", ".*", "a|b"], &[])).await.unwrap();
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
    running.read(&request()).await.unwrap();
    assert_eq!(
        running.server.on("/servers")[0].headers["openstack-api-version"],
        "compute 2.69"
    );
    let running = World::default()
        .answers(SERVERS, vec![recorded("nova-microversion-too-high")])
        .start()
        .await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("2.69"), "{error}");
}

#[tokio::test]
async fn a_server_whose_cell_is_down_fails_the_reading() {
    let answer = page(
        "servers",
        &[json!({"id": server_id(1), "status": "UNKNOWN", "links": []})],
    );
    let running = World::default().answers(SERVERS, vec![answer]).start().await;
    let error = running.read(&request()).await.unwrap_err();
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
        assert_eq!(running.read(&request).await.unwrap().servers.len(), 1, "from the list");
        let servers = running.read(&by_id_only).await.unwrap().servers;
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
    let inventory = running.read(&request()).await.unwrap();
    let names: Vec<_> = inventory
        .servers
        .values()
        .map(|server| server.metadata_node_name.as_deref())
        .collect();
    assert_eq!(names, [Some("worker-1"), None, None]);
}

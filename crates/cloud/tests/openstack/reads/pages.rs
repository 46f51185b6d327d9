//! Lists in pages, and lists that never end.

use crate::support::{
    Answer, recorded,
    world::{PORTS, World, page, page_before, port, request},
};
use multinic_cloud::CloudError;
use multinic_model::inventory::PortStatus;
use serde_json::json;

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
    running.read(&request()).await.unwrap();
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
    let inventory = running.read(&request()).await.unwrap();
    assert_eq!(inventory.ports.len(), 2, "the first, broken walk is not used");
}

#[tokio::test]
async fn pages_that_go_round_in_a_circle_or_never_end_are_an_error() {
    let circle = vec![
        page_before("ports", &[port(1)], "m1"),
        page_before("ports", &[port(2)], "m1"),
    ];
    let running = World::default().answers(PORTS, circle).start().await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(
        matches!(&error, CloudError::PageLoop { marker, .. } if marker == "m1"),
        "{error}"
    );

    let endless = |_: &crate::support::Seen, n: usize| page_before("ports", &[], &format!("m{n}"));
    let mut running = World::default().on(PORTS, endless).start().await;
    running.settings.max_pages = 7;
    let error = running.read(&request()).await.unwrap_err();
    assert!(matches!(error, CloudError::TooManyPages { max: 7, .. }), "{error}");
    assert_eq!(running.server.on("/ports").len(), 7);

    let no_marker = json!({"ports": [], "ports_links": [{"rel": "next", "href": "http://x/ports"}]});
    let running = World::default()
        .answers(PORTS, vec![Answer::json(200, &no_marker)])
        .start()
        .await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(matches!(error, CloudError::PageWithoutMarker { .. }), "{error}");
}

#[tokio::test]
async fn a_port_seen_on_two_pages_is_the_later_one() {
    let mut moved = port(1);
    moved["status"] = "DOWN".into();
    let answers = vec![page_before("ports", &[port(1)], "m1"), page("ports", &[moved])];
    let running = World::default().answers(PORTS, answers).start().await;
    let inventory = running.read(&request()).await.unwrap();
    assert_eq!(
        inventory.ports.values().map(|port| port.status).collect::<Vec<_>>(),
        [PortStatus::Down]
    );
}

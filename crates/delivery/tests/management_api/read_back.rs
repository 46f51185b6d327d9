//! Reading back from a server whose every answer is written here.

use std::error::Error;

use crate::support::{client, cluster, in_batches_of, node_json, settings};
use multinic_delivery::{DeliveryError, Probe};
use multinic_model::{Earlier, NodeName};
use multinic_testing::server::{Reply, Request, Server};
use serde_json::{Value, json};

fn page(items: impl IntoIterator<Item = Value>, next: impl Into<Value>) -> Reply {
    let items: Vec<Value> = items.into_iter().collect();
    Reply::json(200, json!({"items": items, "nextCursor": next.into()}).to_string())
}

/// As our server lists it: with revision and time.
fn stored(number: usize) -> Value {
    let mut node = node_json(number);
    node["revision"] = json!(number);
    node["updatedAt"] = json!("2026-01-08T00:00:00Z");
    node
}

async fn read(script: impl IntoIterator<Item = Reply>) -> (Result<Earlier, DeliveryError>, Vec<String>) {
    let server = Server::scripted(script).await;
    let earlier = client(settings(&server)).0.read_back(&cluster()).await;
    (earlier, server.lines())
}

fn names(earlier: Earlier) -> Vec<String> {
    let Earlier::Known(nodes) = earlier else {
        panic!("{earlier:?}")
    };
    nodes.into_keys().map(String::from).collect()
}

#[tokio::test]
async fn every_page_is_read_by_its_cursor() {
    let script = [
        page([stored(1), stored(2)], json!("a&b=")),
        page([], json!("c")),
        page([stored(3)], Value::Null),
    ];
    let (earlier, lines) = read(script).await;
    assert_eq!(names(earlier.unwrap()), ["worker-1", "worker-2", "worker-3"]);
    let base = "GET /v1/k8s/multinic/node-configs?limit=500";
    assert_eq!(
        lines,
        [
            base.to_owned(),
            format!("{base}&cursor=a%26b%3D"),
            format!("{base}&cursor=c")
        ]
    );
}

#[tokio::test]
async fn the_request_names_the_cluster() {
    let server = Server::scripted([page([], Value::Null)]).await;
    client(settings(&server)).0.read_back(&cluster()).await.unwrap();
    assert_eq!(server.requests()[0].headers["x-provider-id"], cluster().as_str());
}

#[tokio::test]
async fn the_end_is_null_absent_or_empty() {
    let absent = Reply::json(200, json!({"items": [stored(1)]}).to_string());
    for last in [page([stored(1)], Value::Null), page([stored(1)], json!("")), absent] {
        let (earlier, lines) = read([last]).await;
        assert_eq!(names(earlier.unwrap()), ["worker-1"]);
        assert_eq!(lines.len(), 1);
    }
}

#[tokio::test]
async fn interfaces_come_back_sorted_by_id_and_an_empty_node_is_kept() {
    let mut node = stored(1);
    let mut second = node["interfaces"][0].clone();
    second["id"] = json!(3);
    second["macAddress"] = json!("FA-16-3E-00-00-02");
    node["interfaces"].as_array_mut().unwrap().insert(0, second);
    let mut empty = stored(2);
    empty["interfaces"] = json!([]);
    let (earlier, _) = read([page([node, empty], Value::Null)]).await;
    let Ok(Earlier::Known(nodes)) = earlier else {
        panic!("{earlier:?}")
    };
    let ids = |name: &str| {
        nodes[&name.parse().unwrap()]
            .interfaces
            .iter()
            .map(|i| i.id.get())
            .collect::<Vec<_>>()
    };
    assert_eq!((ids("worker-1"), ids("worker-2")), (vec![1, 3], vec![]));
    assert_eq!(nodes[&"worker-1".parse().unwrap()].instance_id.as_str(), "i-1");
}

#[tokio::test]
async fn a_server_without_get_is_recognised_on_the_first_page_only() {
    for status in [404, 405, 501] {
        let (earlier, lines) = read([Reply::status(status)]).await;
        assert_eq!(earlier.unwrap(), Earlier::NotOffered, "{status}");
        assert_eq!(lines.len(), 1);
        let (earlier, _) = read([page([stored(1)], json!("next")), Reply::status(status)]).await;
        assert!(earlier.is_err(), "{status} on the second page");
    }
}

#[tokio::test]
async fn nothing_incomplete_passes_for_complete() {
    let first = || page([stored(1)], json!("next"));
    for (second, category) in [
        (Reply::status(400), "status"),
        (Reply::status(401), "unauthorised"),
        (Reply::status(403), "unauthorised"),
        (Reply::status(204), "status"),
        (Reply::status(302).header("location", "/login"), "redirected"),
        (Reply::json(200, "{"), "answer"),
        (Reply::json(200, "<html>"), "answer"),
        (Reply::json(200, "{}"), "answer"),
        (Reply::json(200, r#"{"items": null, "nextCursor": null}"#), "answer"),
        (Reply::json(200, r#"{"items": [], "nextCursor": 7}"#), "answer"),
        (page([stored(2)], json!("next")), "pages"),
        (page([stored(2)], json!("x".repeat(2049))), "pages"),
        (page([stored(1)], Value::Null), "listed_twice"),
    ] {
        let (earlier, lines) = read([first(), second.clone()]).await;
        let error = earlier.unwrap_err();
        assert_eq!(error.category(), category, "{second:?}: {error}");
        assert_eq!(lines.len(), 2, "{second:?}");
        assert!(!error.hint().is_empty());
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_told_apart_is_an_error_that_names_it() {
    for (path, value, reason) in [
        ("/interfaces/0/macAddress", json!("foreign"), "MAC address"),
        ("/interfaces", json!(null), "invalid type"),
        ("/instanceId", json!(""), "server id"),
    ] {
        let mut node = stored(7);
        *node.pointer_mut(path).unwrap() = value;
        let (earlier, _) = read([page([stored(1), node], Value::Null)]).await;
        let error = earlier.unwrap_err();
        assert_eq!(error.category(), "item");
        let text = error.to_string();
        assert!(text.contains("worker-7") && text.contains(reason), "{text}");
    }
    let (earlier, _) = read([page([json!("?")], Value::Null)]).await;
    assert!(earlier.unwrap_err().to_string().contains("without a nodeName"));
}

#[tokio::test]
async fn an_item_that_is_no_node_config_is_kept_apart_if_it_is_known_whose_it_is() {
    for (path, value, reason) in [
        ("/interfaces/0/address", json!("10.0.0.1"), "lies outside"),
        ("/interfaces/0/id", json!(0), "nonzero"),
        ("/interfaces/0/mtu", json!(1), "MTU"),
    ] {
        let mut node = stored(7);
        *node.pointer_mut(path).unwrap() = value;
        let (earlier, _) = read([page([stored(1), node.clone()], Value::Null)]).await;
        let Ok(Earlier::Partly { nodes, unreadable }) = earlier else {
            panic!("{earlier:?}");
        };
        assert_eq!(nodes.keys().map(NodeName::as_str).collect::<Vec<_>>(), ["worker-1"]);
        let (name, unreadable) = unreadable.iter().next().unwrap();
        assert_eq!((name.as_str(), unreadable.instance_id.as_str()), ("worker-7", "i-7"));
        assert!(unreadable.problem.contains(reason), "{}", unreadable.problem);
        assert_eq!(unreadable.macs.len(), 1);
        for second in [node.clone(), stored(7)] {
            let (twice, _) = read([page([node.clone(), second], Value::Null)]).await;
            assert_eq!(twice.unwrap_err().category(), "listed_twice");
        }
    }
}

#[tokio::test]
async fn pages_that_never_end_are_cut_off() {
    let mut number = 0;
    let answer = move |_: &Request| {
        number += 1;
        page([stored(number)], json!(number.to_string()))
    };
    let server = Server::answering(answer).await;
    let error = in_batches_of(&server, 1).read_back(&cluster()).await.unwrap_err();
    assert_eq!(error.category(), "pages");
    assert_eq!(server.requests().len(), 1000);
}

#[tokio::test]
async fn a_page_is_tried_again_like_any_request() {
    let script = [
        Reply::Closed,
        Reply::status(503),
        page([stored(1)], json!("n")),
        Reply::status(429),
        page([], Value::Null),
    ];
    let (earlier, lines) = read(script).await;
    assert_eq!(names(earlier.unwrap()), ["worker-1"]);
    assert_eq!(lines.len(), 5);
    let down = std::iter::repeat_n(Reply::Closed, 10);
    let (earlier, lines) = read(down).await;
    let error = earlier.unwrap_err();
    assert_eq!((error.category(), lines.len()), ("unreachable", 4));
    assert!(
        error.source().is_some() && error.line().contains("the connection broke (4 attempts)"),
        "{}",
        error.line()
    );
}

#[tokio::test]
async fn a_page_without_end_is_cut_off() {
    let (earlier, lines) = read([Reply::json(200, vec![b' '; 16 * 1024 * 1024 + 1])]).await;
    assert!(earlier.unwrap_err().line().contains("too long"));
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn the_probe_says_what_the_server_offers() {
    for (reply, expected) in [
        (page([stored(1)], json!("more")), Ok(Probe::ReadBack)),
        (page([], Value::Null), Ok(Probe::ReadBack)),
        (Reply::status(404), Ok(Probe::NoReadBack { status: 404 })),
        (Reply::status(405), Ok(Probe::NoReadBack { status: 405 })),
        (Reply::status(501), Ok(Probe::NoReadBack { status: 501 })),
        (Reply::status(401), Err("unauthorised")),
        (Reply::status(403), Err("unauthorised")),
        (Reply::status(400), Err("status")),
        (Reply::json(200, "<html>"), Err("answer")),
    ] {
        let server = Server::scripted([reply.clone()]).await;
        let probe = client(settings(&server)).0.probe(&cluster()).await;
        assert_eq!(probe.map_err(|error| error.category()), expected, "{reply:?}");
        assert_eq!(server.lines(), ["GET /v1/k8s/multinic/node-configs?limit=1"]);
    }
}

//! Pages, refusals and watches against a server that answers what the test says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use multinic_api_client::{ApiReader, NodeFilter, Pauses, ReadError, ReaderSettings, Told, views::Node};
use multinic_model::ClusterId;
use multinic_testing::server::{Reply, Server};
use serde_json::{Value, json};

const TOKEN: &str = "t0ken-of-the-test";

type Waited = Arc<Mutex<Vec<Duration>>>;

fn reader(server: &Server) -> (ApiReader, Waited) {
    let waited = Waited::default();
    let record = Arc::clone(&waited);
    let pauses = Pauses::new(move |pause| {
        record.lock().unwrap().push(pause);
        std::future::ready(())
    });
    let settings = ReaderSettings {
        token: Some(TOKEN.into()),
        ..ReaderSettings::new(server.url())
    };
    (ApiReader::new(settings).unwrap().with_pauses(pauses), waited)
}

fn cluster() -> ClusterId {
    "biz-1".parse().unwrap()
}

fn node(name: &str) -> Value {
    json!({"nodeName": name, "instanceId": "i-1", "interfaces": []})
}

fn page(names: &[&str], cursor: Option<&str>) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| node(name)).collect();
    Reply::json(200, json!({"items": items, "nextCursor": cursor}).to_string())
}

async fn all(reader: &ApiReader, filter: &NodeFilter) -> Result<Vec<String>, ReadError> {
    let mut pages = reader.nodes(&cluster(), filter, 2);
    let mut names = Vec::new();
    while let Some(page) = pages.next::<Node>().await? {
        names.extend(page.into_iter().map(|node| node.node_name));
    }
    Ok(names)
}

#[tokio::test]
async fn pages_are_asked_for_one_after_the_other_with_filter_cluster_and_token() {
    let server = Server::scripted([page(&["a", "b"], Some("c&1")), page(&["c"], None)]).await;
    let filter = NodeFilter {
        instance_id: Some("i-1".to_owned()),
        updated_since: Some("2026-01-08T00:00:00Z".parse().unwrap()),
        ..NodeFilter::default()
    };
    assert_eq!(all(&reader(&server).0, &filter).await.unwrap(), ["a", "b", "c"]);
    let query = "instanceId=i-1&updatedSince=2026-01-08T00%3A00%3A00Z&limit=2";
    let path = "GET /v1/k8s/multinic/node-configs";
    assert_eq!(
        server.lines(),
        [format!("{path}?{query}"), format!("{path}?{query}&cursor=c%261")]
    );
    for request in server.requests() {
        assert_eq!(request.headers["x-provider-id"], "biz-1");
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    }
}

#[tokio::test]
async fn pages_that_do_not_move_are_an_error() {
    let server = Server::scripted([page(&["a"], Some("c")), page(&["b"], Some("c"))]).await;
    let error = all(&reader(&server).0, &NodeFilter::default()).await.unwrap_err();
    assert_eq!(error.category(), "pages", "{error}");
    let server = Server::scripted([page(&["a"], Some(&"c".repeat(2049)))]).await;
    let error = all(&reader(&server).0, &NodeFilter::default()).await.unwrap_err();
    assert_eq!(error.category(), "pages", "{error}");
}

#[tokio::test]
async fn a_problem_is_told_once_with_every_place_and_without_the_token() {
    let faults = json!([
        {"at": "macAddress", "detail": "this cannot be read", "found": "zz", "allowed": "a MAC address"},
        {"at": "x-provider-id", "detail": format!("\u{1b}[31m{TOKEN}"), "other": "limit"}]);
    let problem = json!({"type": "urn:multinic:problem:bad-request", "title": "The request is not the contract",
        "status": 400, "errors": faults,
        "detail": "macAddress: this cannot be read, found zz, allowed: a MAC address"});
    let reply = Reply::json(400, problem.to_string());
    let server = Server::scripted([reply]).await;
    let error = all(&reader(&server).0, &NodeFilter::default()).await.unwrap_err();
    let expected = "the server answered 400 The request is not the contract: macAddress: this cannot be read, found \
                    zz, allowed: a MAC address; x-provider-id: [31m[token] (see limit)";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(error.problem().unwrap().name.as_deref(), Some("bad-request"));
}

#[tokio::test]
async fn what_is_not_the_management_api_is_told_from_a_problem_of_it() {
    let html = Reply::status(404)
        .header("content-type", "text/html")
        .body("<h1>404</h1>");
    let other = Reply::json(403, r#"{"message": "go away"}"#);
    let moved = Reply::status(302).header("location", "https://elsewhere/");
    let wrong = Reply::json(200, r#"{"items": 7}"#);
    let server = Server::scripted([html, other, moved, wrong]).await;
    let reader = reader(&server).0;
    let mut found = Vec::new();
    for _ in 0..4 {
        let error = all(&reader, &NodeFilter::default()).await.unwrap_err();
        assert!(
            error.problem().is_none_or(|problem| problem.name.is_none()),
            "{error:?}"
        );
        found.push((error.category(), error.to_string()));
    }
    for ((category, message), (expected, end)) in found.iter().zip([
        ("refused", "answered 404"),
        ("refused", "answered 403 go away"),
        ("redirected", "a redirect to https://elsewhere/"),
        ("answer", "expected a sequence at line 1 column 11"),
    ]) {
        assert_eq!(*category, expected);
        assert!(message.ends_with(end), "{message}");
    }
}

#[tokio::test]
async fn an_outage_is_asked_again_before_it_is_an_error() {
    let server = Server::scripted([Reply::status(503), Reply::Closed, page(&["a"], None)]).await;
    let (reader, waited) = reader(&server);
    assert_eq!(all(&reader, &NodeFilter::default()).await.unwrap(), ["a"]);
    assert_eq!(waited.lock().unwrap().len(), 2);
}

fn events(text: &str) -> Reply {
    Reply::status(200)
        .header("content-type", "text/event-stream")
        .header("connection", "close")
        .body(text)
}

/// As one word and what it is about.
fn short(told: &Told) -> String {
    match told {
        Told::Node(node) => format!("node {}", node["nodeName"]),
        Told::Synced => "synced".to_owned(),
        Told::Change { kind, sequence, change } => format!("{kind} {sequence} {}", change["nodeName"]),
        Told::Broken(error) => format!("broken {}", error.category()),
        Told::Restarted => "restarted".to_owned(),
    }
}

async fn told(watch: &mut multinic_api_client::Watch<'_>, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    for _ in 0..count {
        found.push(short(&watch.next().await.unwrap()));
    }
    found
}

#[tokio::test]
async fn a_watch_that_breaks_is_taken_up_behind_the_last_event() {
    let server = Server::scripted([
        events("event: node\ndata: {\"nodeName\": \"a\"}\n\nevent: synced\nid: 4\ndata: {}\n\n"),
        Reply::status(503),
        events("event: updated\nid: 5\ndata: {\"nodeName\": \"a\"}\n\nevent: news\nid: 6\ndata: 1\n\nevent: del"),
        Reply::json(
            410,
            r#"{"type": "urn:multinic:problem:gone", "title": "gone", "detail": "forgotten"}"#,
        ),
        events("event: node\ndata: {\"nodeName\": \"b\"}\n\n"),
        events("event: node\ndata: {\"nodeName\": \"b\"}\n\nevent: synced\nid: 9\ndata: {}\n\n"),
        Reply::status(401),
    ])
    .await;
    let (reader, waited) = reader(&server);
    let cluster = cluster();
    let node = "a".parse().unwrap();
    let mut watch = reader.watch(&cluster, Some(&node));
    let expected = [
        "node \"a\"",
        "synced",
        "broken refused",
        "updated 5 \"a\"",
        "restarted",
        "node \"b\"",
        "restarted",
        "node \"b\"",
        "synced",
    ];
    assert_eq!(told(&mut watch, expected.len()).await, expected);
    let error = watch.next().await.unwrap_err();
    assert_eq!(error.problem().unwrap().status, 401);
    let asked = server.requests();
    let last: Vec<_> = asked
        .iter()
        .map(|request| request.headers.get("last-event-id").map(String::as_str))
        .collect();
    assert_eq!(last, [None, Some("4"), Some("4"), Some("5"), None, None, Some("9")]);
    assert_eq!(asked[0].target, "/v1/k8s/multinic/node-configs?watch=true&nodeName=a");
    assert_eq!(asked[0].headers["x-provider-id"], "biz-1");
    let waited: Vec<u128> = waited.lock().unwrap().iter().map(Duration::as_millis).collect();
    assert_eq!(waited, [500, 1000, 500, 500, 500, 500]);
}

#[tokio::test]
async fn a_watch_that_never_was_open_is_an_error() {
    let server = Server::scripted([Reply::status(503), Reply::Closed]).await;
    let (reader, _) = reader(&server);
    let cluster = cluster();
    for category in ["refused", "unreachable"] {
        let error = reader.watch(&cluster, None).next().await.unwrap_err();
        assert_eq!(error.category(), category);
    }
}

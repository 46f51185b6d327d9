//! Bodies that are not the contract. SQLite only: none of them gets as far as the database.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    api::{Api, NODES, send},
    configs::node_json,
    database::TestDatabase,
};

#[tokio::test]
async fn what_is_no_list_of_objects_is_refused_whole() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let bodies: [&[u8]; 12] = [
        b"",
        b"{}",
        b"null",
        b"[",
        b"[{}",
        b"[{}] x",
        b"[1]",
        b"[[]]",
        b"[null]",
        b"[\"a\"]",
        b"\xff\xfe[]",
        b"\xef\xbb\xbf[]",
    ];
    for body in bodies {
        let answer = api.post_bytes(body).await;
        assert_eq!(answer.problem(), (400, "bad-request".to_owned()), "{body:?}");
    }
    let fault = api.post_bytes("[{}, 7]").await.json["errors"][0].clone();
    assert_eq!(
        (&fault["at"], &fault["found"], &fault["allowed"]),
        (&json!("/1"), &json!("7"), &json!("an object"))
    );
}

#[tokio::test]
async fn each_field_at_fault_is_named_with_what_was_found() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let cases: [(&str, Value, &str, Option<&str>); 19] = [
        (
            "/interfaces/1",
            json!([2, "02:00:00:00:00:99", "10.9.9.9", "10.0.0.0/8", 1500]),
            "/0/interfaces/1",
            None,
        ),
        ("/nodeName", json!("Worker_1"), "/0/nodeName", Some("\"Worker_1\"")),
        ("/nodeName", json!(7), "/0/nodeName", Some("7")),
        ("/instanceId", json!(""), "/0/instanceId", Some("\"\"")),
        ("/interfaces", json!({}), "/0/interfaces", None),
        ("/interfaces", json!(null), "/0/interfaces", Some("null")),
        ("/revision", json!(-1), "/0/revision", Some("-1")),
        ("/typo", json!("x"), "/0/typo", Some("\"x\"")),
        ("/a~1b~0c", json!("x"), "/0/a~1b~0c", Some("\"x\"")),
        ("/interfaces/1/id", json!(0), "/0/interfaces/1/id", Some("0")),
        ("/interfaces/1/id", json!(1), "/0/interfaces/1/id", Some("1")),
        (
            "/interfaces/1/id",
            json!(2_147_483_648_u32),
            "/0/interfaces/1/id",
            Some("2147483648"),
        ),
        (
            "/interfaces/1/macAddress",
            json!("ff:ff:ff:ff:ff:ff"),
            "/0/interfaces/1/macAddress",
            Some("\"ff:ff:ff:ff:ff:ff\""),
        ),
        (
            "/interfaces/1/macAddress",
            node_json(1, 1)["interfaces"][0]["macAddress"].clone(),
            "/0/interfaces/1/macAddress",
            Some("02:00:00:00:00:11"),
        ),
        (
            "/interfaces/1/address",
            json!("10.0.0"),
            "/0/interfaces/1/address",
            Some("\"10.0.0\""),
        ),
        (
            "/interfaces/1/address",
            json!("192.168.0.1"),
            "/0/interfaces/1/address",
            Some("192.168.0.1"),
        ),
        (
            "/interfaces/1/cidr",
            json!("10.0.0.0/33"),
            "/0/interfaces/1/cidr",
            Some("\"10.0.0.0/33\""),
        ),
        (
            "/interfaces/1/mtu",
            json!("1500"),
            "/0/interfaces/1/mtu",
            Some("\"1500\""),
        ),
        (
            "/interfaces/1/gateway",
            json!("10.0.0.1"),
            "/0/interfaces/1/gateway",
            Some("\"10.0.0.1\""),
        ),
    ];
    for (place, value, at, found) in cases {
        let mut node = node_json(1, 2);
        let (parent, key) = place.rsplit_once('/').unwrap();
        match node.pointer_mut(place) {
            Some(known) => *known = value,
            None => node.pointer_mut(parent).unwrap()[key.replace("~1", "/").replace("~0", "~")] = value,
        }
        let answer = api.post(&json!([node])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{place}");
        let fault = &answer.json["results"][0]["fault"];
        assert_eq!(
            (fault["at"].as_str(), fault["found"].as_str()),
            (Some(at), found),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    for key in ["nodeName", "instanceId", "interfaces"] {
        let mut node = node_json(1, 1);
        node.as_object_mut().unwrap().remove(key);
        let answer = api.post(&json!([node])).await;
        assert_eq!(answer.json["results"][0]["fault"]["at"], format!("/0/{key}"));
        let name = if key == "nodeName" { "" } else { "worker-1" };
        assert_eq!(answer.json["results"][0]["nodeName"], name);
    }
    for key in ["id", "macAddress", "address", "cidr", "mtu"] {
        let mut node = node_json(1, 1);
        node["interfaces"][0].as_object_mut().unwrap().remove(key);
        let fault = &api.post(&json!([node])).await.json["results"][0]["fault"];
        assert_eq!(fault["at"], format!("/0/interfaces/0/{key}"));
        assert!(fault["allowed"].is_string(), "{fault}");
    }
}

#[tokio::test]
async fn of_two_entries_for_one_node_neither_is_taken() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let answer = api
        .post(&json!([node_json(1, 1), node_json(2, 1), node_json(1, 2)]))
        .await;
    assert_eq!(answer.results(), ["rejected", "created", "rejected"]);
    assert_eq!(answer.json["results"][0]["fault"]["other"], "/2/nodeName");
    assert_eq!(answer.json["results"][2]["fault"]["other"], "/0/nodeName");
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let types = [
        "",
        "text/plain",
        "application/json; charset=euc-kr",
        "application/jsonx",
        "application/x-www-form-urlencoded",
    ];
    for kind in types {
        let request = api.request(Method::POST, NODES).header("content-type", kind).body("[]");
        assert_eq!(
            send(request).await.problem(),
            (415, "unsupported-media-type".to_owned()),
            "{kind}"
        );
    }
    let request = api
        .request(Method::POST, NODES)
        .json(&json!([]))
        .header("content-encoding", "gzip");
    assert_eq!(send(request).await.problem().0, 415);
    let kind = "Application/JSON; Charset=\"UTF-8\"";
    let request = api.request(Method::POST, NODES).header("content-type", kind).body("[]");
    assert_eq!(send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| {
        options.limits.body = 100_000;
        options.limits.nodes = 3;
    })
    .await;
    let nodes: Vec<_> = (0..4).map(|number| node_json(number, 0)).collect();
    assert_eq!(api.post(&json!(nodes)).await.problem(), (413, "too-large".to_owned()));
    assert_eq!(api.post(&json!(nodes[..3])).await.status, StatusCode::OK);
    assert_eq!(
        api.post_bytes(vec![b'['; 100_001]).await.problem(),
        (413, "too-large".to_owned())
    );
    // Without a length that could be believed.
    let chunks = futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 10_000])));
    let answer = api.post_bytes(reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!(answer.problem(), (413, "too-large".to_owned()));
}

#[tokio::test]
async fn nesting_is_refused_however_deep() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    assert_eq!(api.post_bytes(vec![b'['; 8_000_000]).await.problem().0, 400);
    let deep = format!("[{{\"nodeName\": {}{}}}]", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let answer = api.post_bytes(deep).await;
    assert_eq!(
        answer.json["results"][0]["fault"]["at"], "/0/nodeName",
        "{:?}",
        answer.status
    );
    let objects = format!("[{}1{}]", "{\"a\":".repeat(500_000), "}".repeat(500_000));
    assert_eq!(api.post_bytes(objects).await.json["results"][0]["fault"]["at"], "/0/a");
}

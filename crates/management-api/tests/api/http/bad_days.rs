//! When the database or the client is not well.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    api::{Api, NODES, PROVIDERS},
    configs::node_json,
    database::TestDatabase,
};

/// Sends these bytes and nothing more; what the server answers until it hangs up.
async fn dawdle(api: &Api, bytes: &str) -> String {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_dawdles_over_headers_is_hung_up_on() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| {
        options.connections.header_time = Duration::from_millis(100);
    })
    .await;
    let answer = dawdle(&api, "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
    assert!(!answer.contains("200"), "{answer}");
    assert_eq!(dawdle(&api, "").await, "");
}

#[tokio::test]
async fn who_dawdles_over_a_body_is_told_so() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| {
        options.limits.body_time = Duration::from_millis(100);
    })
    .await;
    let head = format!(
        "POST {NODES} HTTP/1.1\r\nHost: a\r\nx-provider-id: biz-1\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\nConnection: close\r\n\r\n[{{"
    );
    let answer = dawdle(&api, &head).await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("urn:multinic:problem:timeout"),
        "{answer}"
    );
}

#[tokio::test]
async fn endless_headers_are_refused() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let answer = dawdle(
        &api,
        &format!("GET /healthz HTTP/1.1\r\nX-Long: {}", "a".repeat(200_000)),
    )
    .await;
    assert!(!answer.contains(" 200 "), "{answer}");
}

#[tokio::test]
async fn a_cut_connection_to_postgresql_is_made_anew() {
    let database = TestDatabase::postgres();
    let api = Api::start(&database).await;
    assert_eq!(api.post(&json!([node_json(1, 1)])).await.results(), ["created"]);
    for round in 0..3 {
        database.cut_connections();
        let mut answer = api.post(&json!([node_json(1, 2 + round)])).await;
        while answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
            answer = api.post(&json!([node_json(1, 2 + round)])).await;
        }
        assert_eq!(answer.results().len(), 1, "{answer:?}");
    }
    let mut answer = api.get(&format!("{NODES}/worker-1")).await;
    while answer.status == StatusCode::SERVICE_UNAVAILABLE {
        answer = api.get(&format!("{NODES}/worker-1")).await;
    }
    assert_eq!(answer.json["revision"], 4);
}

#[tokio::test]
async fn readiness_follows_the_database() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    assert_eq!(api.get("/readyz").await.status, StatusCode::OK);
    database.forget_migrations().await;
    assert_eq!(api.get("/readyz").await.problem(), (503, "unavailable".to_owned()));
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_nothing_is_half_written() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| options.database.max_size = Some(400_000)).await;
    let batch = |round: usize| {
        json!(
            (0..50)
                .map(|number| node_json(50 * round + number, 3))
                .collect::<Vec<_>>()
        )
    };
    let mut taken = 0;
    let full = loop {
        let answer = api.post(&batch(taken)).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        taken += 1;
    };
    assert_eq!(full.problem(), (507, "disk-full".to_owned()));
    assert!(taken > 0);
    let provider = api.get(&format!("{PROVIDERS}/biz-1")).await;
    assert_eq!(provider.json["nodes"], 50 * taken);
    assert_eq!(provider.json["sequence"], 50 * taken);
    assert_eq!(api.get("/readyz").await.status, StatusCode::OK, "it can still be read");
    api.stop().await;
    let api = Api::start(&database).await;
    assert_eq!(api.post(&batch(taken)).await.status, StatusCode::OK);
    assert_eq!(
        api.get(&format!("{PROVIDERS}/biz-1")).await.json["nodes"],
        50 * (taken + 1)
    );
}

//! Clients that mean no good. SQLite only: none of this gets as far as the database.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    api::{Api, NODES, PROVIDERS, send},
    configs::node_json,
    database::TestDatabase,
};

/// Sends these bytes; what the server answers until it hangs up.
async fn tell(api: &Api, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    // Who is hung up on half-way has said enough.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<&str> {
    // A body need not end its line.
    answer
        .split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|rest| rest.get(..3))
        .collect()
}

const POST: &str = "Host: a\r\nx-provider-id: biz-1\r\nContent-Type: application/json\r\nConnection: close\r\n";

#[tokio::test]
async fn lines_and_headers_without_end_are_refused() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let headers: String = (0..5_000).fold(String::new(), |headers, number| headers + &format!("x-{number}: a\r\n"));
    for (request, allowed) in [
        (
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(1_000_000)),
            ["414", "431"],
        ),
        (
            format!("GET /healthz?{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000)),
            ["414", "431"],
        ),
        (
            format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{headers}\r\n"),
            ["431", "431"],
        ),
        (
            format!(
                "GET /healthz HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n",
                "a".repeat(1_000_000)
            ),
            ["431", "400"],
        ),
    ] {
        let answer = tell(&api, request.as_bytes()).await;
        // A hang-up may overtake the answer.
        assert!(
            statuses(&answer).iter().all(|status| allowed.contains(status)),
            "{answer:.200}"
        );
    }
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn requests_that_two_readers_could_read_differently_are_refused() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let smuggled = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let request = format!("POST {NODES} HTTP/1.1\r\n{POST}{head}\r\n[]   {smuggled}");
        let answer = tell(&api, request.as_bytes()).await;
        let statuses = statuses(&answer);
        assert!(
            statuses.len() <= 1 && !answer.contains("multinic_api"),
            "{head}: {answer}"
        );
        assert!(
            statuses.iter().all(|status| status.starts_with('4')),
            "{head}: {answer}"
        );
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let one = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    let last = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = tell(&api, format!("{one}{last}").as_bytes()).await;
    let statuses = statuses(&answer);
    assert_eq!(statuses.len(), 201);
    assert!(
        statuses
            .iter()
            .enumerate()
            .all(|(index, status)| *status == ["200", "404"][index % 2])
    );
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    // The preface, empty settings, then streams that are opened and reset.
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec();
    for stream in (1..2_000_u32).step_by(2) {
        bytes.extend_from_slice(&[0, 0, 1, 1, 5]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.push(0x82);
        bytes.extend_from_slice(&[0, 0, 4, 3, 0]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 8]);
    }
    let answer = tell(&api, &bytes).await;
    assert!(
        statuses(&answer).iter().all(|status| status.starts_with('4')),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_trickles_without_end_is_ended() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| {
        options.limits.body_time = Duration::from_millis(200);
    })
    .await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let head = format!("POST {NODES} HTTP/1.1\r\n{POST}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let trickle = tokio::spawn(async move { while writer.write_all(b"1\r\n[\r\n").await.is_ok() {} });
    let mut answer = [0; 12];
    reader.read_exact(&mut answer).await.unwrap();
    // The time is up or the limit is reached, whatever comes first.
    assert!([b"HTTP/1.1 408", b"HTTP/1.1 413"].contains(&&answer), "{answer:?}");
    drop(reader);
    trickle.abort();
}

#[tokio::test]
async fn who_takes_no_answer_gives_up_the_place_that_it_took() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| {
        options.connections.connections = 1;
        options.connections.write_time = Duration::from_millis(100);
    })
    .await;
    let mut deaf = TcpStream::connect(api.address).await.unwrap();
    let many = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
    deaf.write_all(many.as_bytes()).await.unwrap();
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
    drop(deaf);
}

#[tokio::test]
async fn idle_connections_are_ended_and_others_get_their_places() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| {
        options.connections.connections = 100;
        options.connections.header_time = Duration::from_millis(200);
    })
    .await;
    let mut idle = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(api.address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nX-").await.unwrap();
        }
        idle.push(stream);
    }
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
    for mut stream in idle {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
}

/// Anything at all, percent-encoded.
fn anything(rng: &mut StdRng) -> String {
    const NASTY: [&str; 12] = [
        "%00",
        "%2F",
        "%2e%2e",
        "%25",
        "%F0%9F%92%A9",
        "%C0%AE",
        "%ED%A0%80",
        "%E2%80%AE",
        "%0d%0a",
        "%3B",
        "é",
        "%",
    ];
    let pieces = rng.random_range(1..6);
    (0..pieces)
        .map(|_| match rng.random_range(0..3) {
            0 => NASTY[rng.random_range(0..NASTY.len())].to_owned(),
            1 => format!("%{:02X}", rng.random::<u8>()),
            _ => char::from(rng.random_range(b'a'..=b'z')).to_string(),
        })
        .collect()
}

#[tokio::test]
async fn names_ids_cursors_and_events_may_be_anything() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    api.post(&json!([node_json(1, 1), node_json(2, 1), node_json(3, 1)]))
        .await;
    let cursor = api.get(&format!("{NODES}?limit=1")).await.json["nextCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut rng = StdRng::seed_from_u64(20_260_108);
    for round in 0..400 {
        let thing = anything(&mut rng);
        let path = match round % 8 {
            0 => format!("{NODES}/{thing}"),
            1 => format!("{NODES}/{thing}/revisions"),
            2 => format!("{NODES}/by-instance/{thing}"),
            3 => format!("{PROVIDERS}/{thing}"),
            4 => format!("{NODES}?cursor={thing}"),
            5 => format!("{NODES}/worker-1/revisions?cursor={cursor}{thing}"),
            6 => format!("{NODES}?nodeName={thing}&instanceId={thing}&macAddress={thing}&address={thing}"),
            _ => format!("{NODES}?updatedSince={thing}&limit={thing}"),
        };
        for method in [Method::GET, Method::DELETE] {
            let answer = send(api.request(method.clone(), &path)).await;
            assert!(!answer.status.is_server_error(), "{method} {path}: {answer:?}");
            if !answer.status.is_success() {
                answer.problem();
            }
        }
        let mut tampered = cursor.clone().into_bytes();
        let at = rng.random_range(0..tampered.len());
        tampered[at] = rng.random_range(b'0'..=b'z');
        let tampered: String = tampered
            .iter()
            .fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let page = api.get(&format!("{NODES}?cursor={tampered}")).await;
        assert!([200, 400].contains(&page.status.as_u16()), "{tampered}: {page:?}");
    }
    for event in [
        "-1",
        "1.5",
        "1e3",
        "0x1",
        " ",
        "99999999999999999999",
        "3;3",
        "é",
        "null",
    ] {
        let watch = api.request(Method::GET, &format!("{NODES}?watch=true"));
        let answer = send(watch.header("last-event-id", event.as_bytes())).await;
        assert_eq!(answer.problem().0, 400, "{event:?}");
    }
    for event in ["4", "9223372036854775807", "18446744073709551615"] {
        let watch = api.request(Method::GET, &format!("{NODES}?watch=true"));
        let answer = send(watch.header("last-event-id", event)).await;
        assert_eq!(answer.problem().0, 410, "{event:?}");
    }
}

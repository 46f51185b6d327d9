//! How the services speak: lengths, closed connections, long URLs. Recorded facts of eventlet and of Debian's uWSGI.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use multinic_lab::{CloudBuilder, Lab, Service};
use support::{admin, ask, get, read_answer, try_ask};

fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("http://").split('/').next().unwrap()).unwrap()
}

fn send(stream: &mut TcpStream, path: &str, token: &str) {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: lab\r\nX-Auth-Token: {token}\r\n\r\n"
    )
    .unwrap();
}

#[test]
fn keystone_and_nova_close_without_a_length_or_a_word() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    for (url, path) in [(lab.nova_url(), "/v2.1/servers"), (lab.keystone_url(), "/v3")] {
        let mut stream = connect(&url);
        send(&mut stream, path, &token);
        let answer = read_answer(&mut stream, false).unwrap();
        assert_eq!(answer.status, 200);
        for header in ["content-length", "transfer-encoding", "connection"] {
            assert_eq!(answer.header(header), None, "{header}");
        }
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the connection is closed");
    }
}

#[test]
fn neutron_keeps_the_connection_and_gives_lengths() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let mut stream = connect(&lab.neutron_url());
    for _ in 0..3 {
        send(&mut stream, "/v2.0/networks", &token);
        let answer = read_answer(&mut stream, false).unwrap();
        assert_eq!(
            answer.header("content-length"),
            Some(answer.body.len().to_string().as_str())
        );
        assert_eq!(answer.column("networks", "name").len(), 2);
    }
}

#[test]
fn without_uwsgi_nova_keeps_connections_too() {
    let lab = Lab::start(CloudBuilder::seed().without_uwsgi()).unwrap();
    let token = admin(&lab);
    let mut stream = connect(&lab.nova_url());
    for _ in 0..2 {
        send(&mut stream, "/v2.1/servers", &token);
        assert!(
            read_answer(&mut stream, false)
                .unwrap()
                .header("content-length")
                .is_some()
        );
    }
}

#[test]
fn neutron_refuses_a_target_over_8176_characters_with_an_empty_414() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let target = |length: usize| format!("/v2.0/ports?name={}", "x".repeat(length - "/v2.0/ports?name=".len()));
    assert_eq!(get(&lab, &token, &target(8176)).status, 200);
    let refused = get(&lab, &token, &target(8177));
    assert_eq!((refused.status, refused.body.as_str()), (414, ""));
    assert_eq!(
        (refused.header("content-length"), refused.header("connection")),
        (Some("0"), Some("close"))
    );
}

#[test]
fn keystone_and_nova_close_on_a_target_over_65070_characters_without_an_answer() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let url = |length: usize| {
        let start = "/v2.1/servers?name=";
        format!(
            "{}{}",
            lab.nova_url().replace("/v2.1", start),
            "x".repeat(length - start.len())
        )
    };
    let headers = [("X-Auth-Token", token.as_str())];
    assert_eq!(ask("GET", &url(65_070), &headers, "").status, 200);
    assert!(try_ask("GET", &url(65_071), &headers, "").is_none());
}

#[test]
fn a_pooled_connection_is_reset_after_a_204() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let mut stream = connect(&lab.keystone_url());
    write!(
        stream,
        "DELETE /v3/auth/tokens HTTP/1.1\r\nHost: lab\r\nX-Auth-Token: {token}\r\nX-Subject-Token: {token}\r\n\r\n"
    )
    .unwrap();
    let answer = read_answer(&mut stream, false).unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (204, None));
    // Nothing in the answer said so, but the connection is of no use any more.
    let second = stream
        .write_all(b"GET /v3 HTTP/1.1\r\nHost: lab\r\n\r\n")
        .and_then(|()| stream.read(&mut [0; 16]));
    assert!(!matches!(second, Ok(1..)), "{second:?}");
}

#[tokio::test]
async fn an_ordinary_client_reads_every_service() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = tokio::task::spawn_blocking({
        let keystone = lab.keystone_url();
        move || {
            let scope = serde_json::json!({"project": {"id": multinic_lab::SEED_PROJECT}});
            let body = support::password_body("admin", multinic_lab::DEMO_ADMIN_PASSWORD, &scope);
            ask("POST", &format!("{keystone}/auth/tokens"), &[], &body)
                .header("x-subject-token")
                .unwrap()
                .to_owned()
        }
    });
    let token = token.await.unwrap();
    let client = reqwest::Client::new();
    for url in [
        format!("{}/servers/detail", lab.nova_url()),
        format!("{}/v2.0/ports", lab.neutron_url()),
        lab.keystone_url(),
    ] {
        for _ in 0..3 {
            let answer = client.get(&url).header("X-Auth-Token", &token).send().await.unwrap();
            let body: serde_json::Value = answer.error_for_status().unwrap().json().await.unwrap();
            assert!(body.is_object());
        }
    }
    assert_eq!(lab.requests_to(Service::Nova).len(), 3);
}

#[test]
fn a_lab_that_is_dropped_stops_listening() {
    let lab = Lab::start(CloudBuilder::new()).unwrap();
    let url = lab.neutron_url();
    assert_eq!(ask("GET", &url, &[], "").status, 200);
    drop(lab);
    assert!(TcpStream::connect(url.trim_start_matches("http://")).is_err());
}

//! Every scripted fault does what it says, to the request it was meant for, and to no other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use multinic_lab::{CloudBuilder, Cut, Fault, Lab, Service};
use serde_json::json;
use support::{Answer, admin, ask, get, try_ask};

const PORTS: &str = "/v2.0/ports?limit=3";

fn start() -> (Lab, String) {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    (lab, token)
}

/// `None` if there was no answer.
fn ports(lab: &Lab, token: &str) -> Option<Answer> {
    try_ask(
        "GET",
        &format!("{}{PORTS}", lab.neutron_url()),
        &[("X-Auth-Token", token)],
        "",
    )
}

#[test]
fn a_status_with_and_without_retry_after_hits_exactly_the_requests_it_is_meant_for() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .get("/v2.0/ports")
        .nth(2)
        .times(2)
        .inject(Fault::status(503).retry_after("7"));
    lab.faults()
        .at(Service::Neutron)
        .get("/v2.0/subnets")
        .inject(Fault::status(429).body("slow down"));
    let answers: Vec<_> = (0..5).map(|_| ports(&lab, &token).unwrap()).collect();
    assert_eq!(
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
        [200, 503, 503, 200, 200]
    );
    assert_eq!(
        (answers[1].header("retry-after"), answers[3].header("retry-after")),
        (Some("7"), None)
    );
    let limited = get(&lab, &token, "/v2.0/subnets");
    assert_eq!(
        (limited.status, limited.header("retry-after"), limited.body.as_str()),
        (429, None, "slow down")
    );
    assert_eq!(lab.faults().fired(), 3);
    assert_eq!(lab.requests().iter().filter(|request| request.faulted).count(), 3);
}

#[test]
fn a_fault_of_one_service_and_method_leaves_the_others_alone() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Keystone)
        .post("/auth/tokens")
        .always()
        .inject(Fault::status(500));
    assert_eq!(ask("GET", &lab.keystone_url(), &[], "").status, 200);
    assert_eq!(
        ask("POST", &format!("{}/auth/tokens", lab.keystone_url()), &[], "{}").status,
        500
    );
    assert_eq!(ports(&lab, &token).unwrap().status, 200);
    lab.faults().clear();
    assert_eq!(
        ask("POST", &format!("{}/auth/tokens", lab.keystone_url()), &[], "{}").status,
        400
    );
}

#[test]
fn a_reset_and_a_close_leave_no_answer_and_no_status_in_the_log() {
    for (fault, reset) in [(Fault::Reset, true), (Fault::AnswerLost, true), (Fault::Close, false)] {
        let (lab, token) = start();
        lab.faults().at(Service::Neutron).inject(fault.clone());
        let mut stream = TcpStream::connect(lab.neutron_url().trim_start_matches("http://")).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n").unwrap();
        let read = stream.read(&mut [0; 16]);
        assert_eq!(read.is_err(), reset, "{fault:?}: {read:?}");
        assert!(!matches!(read, Ok(1..)), "{fault:?}: {read:?}");
        let last = lab.requests().pop().unwrap();
        assert_eq!((last.status, last.faulted), (None, true));
        assert_eq!(ports(&lab, &token).unwrap().status, 200);
    }
}

/// Everything that came over the connection, and the error at its end if there was one.
fn raw_ports(lab: &Lab, token: &str) -> (String, std::io::Result<usize>) {
    let mut stream = TcpStream::connect(lab.neutron_url().trim_start_matches("http://")).unwrap();
    let request = format!("GET {PORTS} HTTP/1.1\r\nHost: lab\r\nX-Auth-Token: {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    (String::from_utf8(bytes).unwrap(), end)
}

#[test]
fn a_truncated_body_announces_more_than_it_has() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .inject(Fault::Truncate(Cut::After(40)));
    let (text, end) = raw_ports(&lab, &token);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(end.is_ok() && body.len() == 40, "{text}");
    assert!(
        head.contains("Content-Length: ") && !head.contains("Content-Length: 40\r\n"),
        "{head}"
    );
}

#[test]
fn a_reset_in_the_middle_of_a_body_is_an_error_and_not_an_end() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .inject(Fault::ResetMidBody(Cut::After(40)));
    let (text, end) = raw_ports(&lab, &token);
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    // The reset may overtake the last bytes.
    assert!(
        text.split_once("\r\n\r\n").is_none_or(|(_, body)| body.len() <= 40),
        "{text}"
    );
}

#[test]
fn a_truncated_answer_of_nova_ends_without_a_trace_of_it() {
    let (lab, token) = start();
    lab.faults().at(Service::Nova).inject(Fault::Truncate(Cut::After(100)));
    let cut = get(&lab, &token, "/v2.1/servers");
    assert_eq!(
        (cut.status, cut.body.len(), cut.header("content-length")),
        (200, 100, None)
    );
}

#[test]
fn garbage_comes_with_200() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .inject(Fault::Garbage("<html>".to_owned()));
    let answer = ports(&lab, &token).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "<html>"));
}

#[test]
fn an_expired_token_stays_expired_and_a_new_one_works() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Nova)
        .get("/servers")
        .inject(Fault::ExpireToken);
    let refused = get(&lab, &token, "/v2.1/servers");
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("www-authenticate"),
        Some(format!("Keystone uri=\"{}\"", lab.keystone_url()).as_str())
    );
    assert_eq!(ports(&lab, &token).unwrap().status, 401);
    let fresh = admin(&lab);
    assert_eq!(get(&lab, &fresh, "/v2.1/servers").status, 200);
    assert_eq!(lab.cloud().live_tokens(), 1);
}

#[test]
fn omitted_items_leave_an_answer_that_claims_to_be_complete() {
    let (lab, token) = start();
    let whole = ports(&lab, &token).unwrap();
    lab.faults().at(Service::Neutron).inject(Fault::OmitItems { count: 1 });
    lab.faults().at(Service::Neutron).nth(2).inject(Fault::EmptyList);
    let short = ports(&lab, &token).unwrap();
    assert_eq!(short.column("ports", "id"), whole.column("ports", "id")[1..]);
    assert!(whole.json().get("ports_links").is_some() && short.json().get("ports_links").is_none());
    assert_eq!(ports(&lab, &token).unwrap().json(), json!({"ports": []}));
}

#[test]
fn a_missing_key_is_missing_on_top_or_in_every_item() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .inject(Fault::MissingKey("ports".to_owned()));
    lab.faults()
        .at(Service::Neutron)
        .nth(2)
        .inject(Fault::MissingKey("mac_address".to_owned()));
    assert!(ports(&lab, &token).unwrap().json().get("ports").is_none());
    let items = ports(&lab, &token).unwrap().json()["ports"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3);
    assert!(
        items
            .iter()
            .all(|item| item.get("mac_address").is_none() && item.get("id").is_some())
    );
}

#[test]
fn looping_pages_lead_back_to_themselves() {
    let (lab, token) = start();
    lab.faults().at(Service::Neutron).always().inject(Fault::LoopingPages);
    let first = ports(&lab, &token).unwrap();
    let next = first.json()["ports_links"][0]["href"].as_str().unwrap().to_owned();
    assert_eq!(next, format!("{}{PORTS}", lab.neutron_url()));
    assert_eq!(ask("GET", &next, &[("X-Auth-Token", &token)], "").body, first.body);
}

#[test]
fn an_edit_may_do_anything_to_the_answer() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .inject(Fault::edit(|body| body["ports"][0]["status"] = json!(17)));
    assert_eq!(ports(&lab, &token).unwrap().json()["ports"][0]["status"], 17);
}

#[test]
fn a_delay_and_a_status_may_hit_the_same_request() {
    let (lab, token) = start();
    lab.faults()
        .at(Service::Neutron)
        .inject(Fault::Delay(Duration::from_millis(1)));
    lab.faults().at(Service::Neutron).inject(Fault::status(502));
    assert_eq!(ports(&lab, &token).unwrap().status, 502);
    assert_eq!(lab.faults().fired(), 2);
}

#[test]
fn a_slow_answer_is_a_whole_one() {
    let (lab, token) = start();
    let whole = ports(&lab, &token).unwrap();
    lab.faults().at(Service::Neutron).inject(Fault::Slow {
        piece: 500,
        pause: Duration::from_millis(1),
    });
    assert_eq!(ports(&lab, &token).unwrap().body, whole.body);
}

#[test]
fn a_hanging_or_late_answer_holds_one_request_and_not_the_others() {
    for fault in [Fault::Hang, Fault::Delay(Duration::from_hours(1))] {
        let (lab, token) = start();
        lab.faults().at(Service::Neutron).inject(fault);
        let mut stream = TcpStream::connect(lab.neutron_url().trim_start_matches("http://")).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n").unwrap();
        while lab.requests_to(Service::Neutron).is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(ports(&lab, &token).unwrap().status, 200);
        stream.set_nonblocking(true).unwrap();
        assert_eq!(
            stream.read(&mut [0]).unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );
    }
}

//! Foreign bytes: the answers of a management API. `MULTINIC_FUZZ_SECONDS=300` makes a long run.

use multinic_model::NodeConfig;
use multinic_testing::fuzz;
use multinic_transport::Answer;
use reqwest::{StatusCode, header::HeaderMap};

use crate::{
    DeliveryError, ManagementApi, ManagementApiSettings, NodeResult, answer::read_results, read_back::Reading,
};

const NODE: &str = r#"{"nodeName": "worker-1", "instanceId": "i-1", "interfaces": [{"id": 1,
    "macAddress": "fa:16:3e:00:00:01", "address": "192.168.1.100", "cidr": "192.168.1.0/24", "mtu": 1450}],
    "revision": 7, "updatedAt": "2026-01-08T00:00:00Z"}"#;

fn api() -> ManagementApi {
    ManagementApi::new(ManagementApiSettings::new("http://api.example".parse().unwrap())).unwrap()
}

fn answer(status: StatusCode, body: &[u8]) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: body.to_vec().into(),
        attempts: 1,
    }
}

/// A message fit for a log: bounded and on one line.
fn checked(error: &DeliveryError) -> &'static str {
    let line = error.line();
    assert!(
        line.chars().count() < 1_500 && !line.chars().any(char::is_control),
        "{line:?}"
    );
    error.category()
}

#[test]
fn a_page_may_be_anything() {
    let api = api();
    let seeds = [
        format!(r#"{{"items": [{NODE}], "nextCursor": "c"}}"#),
        r#"{"items": [], "nextCursor": null}"#.to_owned(),
    ];
    fuzz::run("page", &seeds.map(String::into_bytes), |bytes| {
        let mut reading = Reading::default();
        match api.add_page(&mut reading, &answer(StatusCode::OK, bytes)) {
            Ok(next) => format!("{} {}", reading.len().min(3), next.is_some()),
            Err(error) => checked(&error).to_owned(),
        }
    });
}

#[test]
fn the_answer_to_a_delivery_may_be_anything() {
    let api = api();
    let node: NodeConfig = serde_json::from_str(NODE).unwrap();
    let seeds = ["created", "updated", "unchanged", "rejected"].map(|status| {
        format!(r#"{{"results": [{{"nodeName": "worker-1", "status": "{status}", "revision": 7, "error": "e"}}]}}"#)
    });
    fuzz::run("results", &seeds.map(String::into_bytes), |bytes| {
        [200, 207, 422].map(|status| {
            let answer = answer(StatusCode::from_u16(status).unwrap(), bytes);
            match read_results(&api, &[&node], &answer) {
                Ok(results) => {
                    assert_eq!(results.len(), 1);
                    assert!(status == 200 || !matches!(results[0], NodeResult::Accepted));
                    results[0].name()
                }
                Err(error) => checked(&error),
            }
        })
    });
}

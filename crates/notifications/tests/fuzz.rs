//! Foreign bytes: whole bodies, and what lies inside the envelope. `MULTINIC_FUZZ_SECONDS=300` makes a long run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "shared by the tests")]
mod common;

use multinic_notifications::{Hint, Message, MessageOutcome, decode};
use multinic_testing::fuzz;
use serde_json::Value;

/// Checks what holds for every message; the outcome is what the fuzzer steers by.
fn check(message: &Message) -> (String, MessageOutcome, usize, String) {
    assert_eq!(message.outcome == MessageOutcome::Hint, !message.hints.is_empty());
    assert!(message.hints.len() <= 1_000);
    for hint in &message.hints {
        match hint {
            Hint::Server(server) => {
                assert!(server.name.as_ref().is_none_or(|name| name.len() <= 1_024));
                assert!(server.server || server.ports);
            }
            Hint::Port(port) => {
                assert!(port.devices.len() <= 1 && port.device.as_ref().is_none_or(|one| port.devices.contains(one)));
                assert!(port.addresses.as_ref().is_none_or(|addresses| addresses.len() <= 64));
            }
            Hint::Subnet(subnet) => assert!(subnet.name.as_ref().is_none_or(|name| name.len() <= 1_024)),
            Hint::Network(_) => {}
        }
    }
    let shape = message.hints.first().map_or_else(String::new, |hint| match hint {
        Hint::Server(hint) => format!("{}{}", hint.project.is_some(), hint.name.is_some()),
        Hint::Port(hint) => format!(
            "{}{}{}",
            hint.mac.is_some(),
            hint.device.is_some(),
            hint.addresses.is_some()
        ),
        Hint::Subnet(hint) => format!("{}{}", hint.name.is_some(), hint.network.is_some()),
        Hint::Network(_) => String::new(),
    });
    (
        message.kind.to_string(),
        message.outcome,
        message.hints.len().min(3),
        shape,
    )
}

#[test]
fn a_body_may_be_anything() {
    let seeds: Vec<_> = common::messages()
        .into_iter()
        .map(|(_, body)| body.into_bytes())
        .collect();
    fuzz::run("notification body", &seeds, |bytes| check(&decode(bytes)));
}

#[test]
fn what_lies_in_the_envelope_may_be_anything() {
    let seeds: Vec<_> = common::messages()
        .into_iter()
        .map(|(_, body)| {
            let envelope: Value = serde_json::from_str(&body).unwrap();
            envelope["oslo.message"].as_str().unwrap().as_bytes().to_vec()
        })
        .collect();
    fuzz::run("notification", &seeds, |bytes| {
        let bare = check(&decode(bytes));
        if let Ok(text) = str::from_utf8(bytes) {
            let wrapped = serde_json::json!({"oslo.version": "2.0", "oslo.message": text});
            // Wrapped in itself a notification is no notification, so only what is bare compares.
            if !text.contains("oslo") {
                assert_eq!(check(&decode(wrapped.to_string().as_bytes())), bare);
            }
        }
        bare
    });
}

#[test]
fn a_deep_body_is_no_danger() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let depth = 100_000;
        let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for body in [
            deep.clone(),
            format!(r#"{{"event_type": "port.create.end", "payload": {deep}}}"#),
            format!(r#"{{"event_type": "port.create.end", "payload": {{"ports": {deep}}}}}"#),
            format!(r#"{{"event_type": "x", "payload": {deep}}}"#),
        ] {
            check(&decode(body.as_bytes()));
        }
    }
}

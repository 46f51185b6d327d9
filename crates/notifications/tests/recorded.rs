//! Every recorded message, and what is made of it: `fixtures/decoded.txt`, one block each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{collections::BTreeMap, fmt::Write, fs};

use common::{fixtures, messages, show};
use multinic_notifications::{MessageOutcome, decode};
use serde_json::{Value, json};

#[test]
fn every_recorded_message_means_what_the_table_says() {
    let expected = fs::read_to_string(fixtures().join("decoded.txt")).unwrap();
    let mut found = String::new();
    for (name, body) in messages() {
        writeln!(found, "{name}\n{}", show(&decode(body.as_bytes()))).unwrap();
    }
    assert!(
        found == expected,
        "this is what was made of the recorded messages:\n{found}"
    );
}

#[test]
fn a_bare_message_means_the_same_as_a_wrapped_one() {
    for (name, body) in messages() {
        let envelope: Value = serde_json::from_str(&body).unwrap();
        let bare = envelope["oslo.message"].as_str().unwrap();
        assert_eq!(decode(bare.as_bytes()), decode(body.as_bytes()), "{name}");
    }
}

/// The recorded message of this name with its payload changed.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> multinic_notifications::Message {
    let messages: BTreeMap<_, _> = messages().into_iter().collect();
    let envelope: Value = serde_json::from_str(&messages[name]).unwrap();
    let mut message: Value = serde_json::from_str(envelope["oslo.message"].as_str().unwrap()).unwrap();
    change(&mut message["payload"]);
    decode(
        json!({"oslo.version": "2.0", "oslo.message": message.to_string()})
            .to_string()
            .as_bytes(),
    )
}

#[test]
fn an_older_neutron_says_only_which_port_was_deleted() {
    let message = changed("neutron.unversioned.port.delete.end", |payload| {
        payload.as_object_mut().unwrap().remove("port");
    });
    assert_eq!(
        show(&message),
        "  port.delete hint 2026-11-22T13:21:05.202047Z\n  \
         port e4a2bcd4-43f7-4999-bdf5-a5eaa13bc2f5 mac - devices [] now - addresses - gone\n"
    );
}

#[test]
fn one_port_that_cannot_be_understood_does_not_hide_the_others() {
    let message = changed("neutron.unversioned.port.create.end.bulk", |payload| {
        payload["ports"][0]["id"] = json!("not-a-uuid");
    });
    assert_eq!(message.outcome, MessageOutcome::Hint);
    assert_eq!(message.hints.len(), 1);
    let message = changed("neutron.unversioned.port.create.end.bulk", |payload| {
        payload["ports"] = json!([5, {"id": null}, {}]);
    });
    assert_eq!((message.outcome, message.hints.len()), (MessageOutcome::Malformed, 0));
}

#[test]
fn what_a_port_does_not_say_readably_is_left_out() {
    let message = changed("neutron.unversioned.port.update.end.bound-active", |payload| {
        payload["port"]["mac_address"] = json!("nonsense");
        payload["port"]["fixed_ips"] = json!([{"ip_address": "10.0.0.300"}, 5, {"ip_address": "fd00::1"}]);
    });
    let text = show(&message);
    assert!(
        text.contains(" mac - ") && text.contains("addresses [fd00::1]"),
        "{text}"
    );
}

#[test]
fn a_port_that_does_not_say_what_it_is_plugged_into_is_not_taken_for_unplugged() {
    let message = changed("neutron.unversioned.port.update.end.bound-active", |payload| {
        payload["port"]["device_id"] = json!(null);
    });
    assert_eq!(message.outcome, MessageOutcome::Malformed);
}

#[test]
fn a_device_counts_whatever_its_owner_is_called() {
    for owner in ["", "compute:zone-1", "baremetal:none", "compute:kuryr"] {
        let message = changed("neutron.unversioned.port.update.end.bound-active", |payload| {
            payload["port"]["device_owner"] = json!(owner);
        });
        assert!(!show(&message).contains("devices []"), "{owner}");
    }
}

#[test]
fn a_bulk_request_is_cut() {
    let message = changed("neutron.unversioned.port.create.end.bulk", |payload| {
        let port = json!({"id": "e4a2bcd4-43f7-4999-bdf5-a5eaa13bc2f5", "device_id": ""});
        payload["ports"] = Value::Array(vec![port; 1_500]);
    });
    assert_eq!(message.hints.len(), 1_000);
}

#[test]
fn a_server_without_an_id_is_malformed_and_one_with_an_odd_name_has_none() {
    for name in [
        "nova.versioned.instance.update",
        "nova.unversioned.compute.instance.update",
    ] {
        let without_id = changed(name, |payload| {
            let payload = payload.as_object_mut().unwrap();
            payload.remove("instance_id");
            if let Some(Value::Object(data)) = payload.get_mut("nova_object.data") {
                data.remove("uuid");
            }
        });
        assert_eq!(without_id.outcome, MessageOutcome::Malformed, "{name}");
    }
    let odd = changed("nova.unversioned.compute.instance.update", |payload| {
        payload["display_name"] = json!("x".repeat(5_000));
        payload["tenant_id"] = json!("nobody");
    });
    let text = show(&odd);
    assert!(text.contains(" project - name -"), "{text}");
}

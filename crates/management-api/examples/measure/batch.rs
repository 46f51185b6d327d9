//! Node configs to send.

use std::ops::Range;

use serde_json::{Value, json};

const INTERFACES: usize = 4;

/// These nodes, with four interfaces each.
pub fn batch(nodes: Range<usize>, mtu: u32) -> Vec<u8> {
    serde_json::to_vec(&nodes.map(|number| node(number, mtu)).collect::<Vec<_>>()).unwrap()
}

fn node(number: usize, mtu: u32) -> Value {
    let interface = |id: usize| {
        let port = number * INTERFACES + id;
        let (high, middle, low) = (port >> 16, (port >> 8) & 255, port & 255);
        json!({"id": id, "macAddress": format!("02:00:00:{high:02x}:{middle:02x}:{low:02x}"),
            "address": format!("10.{high}.{middle}.{low}"), "cidr": "10.0.0.0/8", "mtu": mtu})
    };
    let interfaces: Vec<_> = (1..=INTERFACES).map(interface).collect();
    json!({"nodeName": format!("worker-{number}"), "instanceId": format!("i-{number:08}"), "interfaces": interfaces})
}

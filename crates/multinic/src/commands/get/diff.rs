//! What one change of a node did to its interfaces.

use std::collections::BTreeMap;

use multinic_api_client::views::{Change, Interface};

/// A line for each interface that came (`+`), went (`-`) or changed (`~`). `before` is the change before this one;
/// `None` if it is forgotten. Interfaces are told apart by their MAC address.
pub fn lines(before: Option<&Change>, now: &Change) -> Vec<String> {
    let mut lines = match (now.kind.as_str(), before) {
        ("created", _) => compare(&[], &now.interfaces),
        ("deleted", _) => compare(&now.interfaces, &[]),
        (_, Some(before)) => {
            let moved = (before.instance_id != now.instance_id)
                .then(|| format!("~ instance {} -> {}", before.instance_id, now.instance_id));
            let lines = compare(&before.interfaces, &now.interfaces);
            moved.into_iter().chain(lines).collect()
        }
        (_, None) => vec![format!(
            "{} interface(s); what it was before is forgotten",
            now.interfaces.len()
        )],
    };
    if lines.is_empty() {
        lines.push("no interfaces".to_owned());
    }
    lines
}

fn compare(before: &[Interface], now: &[Interface]) -> Vec<String> {
    let (old, new) = (by_mac(before), by_mac(now));
    let came = now
        .iter()
        .filter_map(|interface| match old.get(interface.mac_address.as_str()) {
            None => Some(format!("+ {}", whole(interface))),
            Some(before) if *before == interface => None,
            Some(before) => Some(format!("~ {}", changed(before, interface))),
        });
    let went = before
        .iter()
        .filter(|interface| !new.contains_key(interface.mac_address.as_str()))
        .map(|interface| format!("- {}", whole(interface)));
    came.chain(went).collect()
}

fn by_mac(interfaces: &[Interface]) -> BTreeMap<&str, &Interface> {
    let by_mac = interfaces
        .iter()
        .map(|interface| (interface.mac_address.as_str(), interface));
    by_mac.collect()
}

fn whole(interface: &Interface) -> String {
    let Interface {
        id,
        mac_address,
        address,
        cidr,
        mtu,
    } = interface;
    format!("{id} {mac_address} {address} in {cidr}, mtu {mtu}")
}

fn changed(before: &Interface, now: &Interface) -> String {
    let parts = [
        ("id", before.id.to_string(), now.id.to_string()),
        ("address", before.address.clone(), now.address.clone()),
        ("cidr", before.cidr.clone(), now.cidr.clone()),
        ("mtu", before.mtu.to_string(), now.mtu.to_string()),
    ];
    let parts = parts.into_iter().filter(|(_, before, now)| before != now);
    let parts: Vec<String> = parts
        .map(|(name, before, now)| format!("{name} {before} -> {now}"))
        .collect();
    format!("{} {}: {}", now.id, now.mac_address, parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn interface(id: u32, last: u32, mtu: u32) -> Value {
        json!({"id": id, "macAddress": format!("fa:16:3e:00:00:0{last}"), "address": format!("10.0.0.{last}"),
            "cidr": "10.0.0.0/24", "mtu": mtu})
    }

    fn change(kind: &str, instance: &str, interfaces: &[Value]) -> Change {
        serde_json::from_value(
            json!({"kind": kind, "nodeName": "a", "revision": 1, "instanceId": instance,
            "interfaces": interfaces, "changedAt": "2026-01-08T00:00:00Z", "changedBy": "b"}),
        )
        .unwrap()
    }

    #[test]
    fn what_came_went_and_changed_is_told_by_mac_address() {
        let before = change(
            "updated",
            "i-1",
            &[interface(1, 1, 1500), interface(2, 2, 1500), interface(3, 3, 1500)],
        );
        let now = change(
            "updated",
            "i-2",
            &[interface(1, 1, 1450), interface(2, 4, 1500), interface(4, 3, 1500)],
        );
        assert_eq!(
            lines(Some(&before), &now),
            [
                "~ instance i-1 -> i-2",
                "~ 1 fa:16:3e:00:00:01: mtu 1500 -> 1450",
                "+ 2 fa:16:3e:00:00:04 10.0.0.4 in 10.0.0.0/24, mtu 1500",
                "~ 4 fa:16:3e:00:00:03: id 3 -> 4",
                "- 2 fa:16:3e:00:00:02 10.0.0.2 in 10.0.0.0/24, mtu 1500",
            ]
        );
    }

    #[test]
    fn the_first_and_the_last_change_are_whole() {
        let interfaces = [interface(1, 1, 1500)];
        let whole = "1 fa:16:3e:00:00:01 10.0.0.1 in 10.0.0.0/24, mtu 1500";
        let other = change("deleted", "i-1", &[interface(7, 7, 1500)]);
        assert_eq!(
            lines(Some(&other), &change("created", "i-2", &interfaces)),
            [format!("+ {whole}")]
        );
        assert_eq!(
            lines(None, &change("deleted", "i-1", &interfaces)),
            [format!("- {whole}")]
        );
        assert_eq!(lines(None, &change("created", "i-1", &[])), ["no interfaces"]);
        let forgotten = "1 interface(s); what it was before is forgotten";
        assert_eq!(lines(None, &change("updated", "i-1", &interfaces)), [forgotten]);
    }
}

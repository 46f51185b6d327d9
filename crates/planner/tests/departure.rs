#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! When a deleted config is gone: what it still answers for after each delivery.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{ConfigKey, Earlier, EarlierNode, Interface, NodeName};
use multinic_planner::{Claim, ConfigInput, Plan, PlanInput, Policy, RemovalLedger, Scope, plan};

fn key(name: &str) -> ConfigKey {
    ConfigKey {
        namespace: "ns".to_owned(),
        name: name.to_owned(),
    }
}

fn claims(numbers: &[u8]) -> Vec<Claim> {
    let claim = |number: &u8| Claim {
        instance_id: format!("vm-{number}").parse().unwrap(),
        node_name: format!("w{number}").parse().unwrap(),
    };
    numbers.iter().map(claim).collect()
}

fn held(numbers: &[u8]) -> Earlier {
    let node = |number: &u8| {
        let interface: Interface = serde_json::from_value(serde_json::json!({
            "id": 1, "macAddress": format!("02:00:00:00:00:{number:02x}"), "address": format!("10.0.0.{number}"),
            "cidr": "10.0.0.0/24", "mtu": 1450,
        }))
        .unwrap();
        let node = EarlierNode {
            instance_id: format!("vm-{number}").parse().unwrap(),
            interfaces: vec![interface],
        };
        (format!("w{number}").parse().unwrap(), node)
    };
    Earlier::Known(numbers.iter().map(node).collect::<BTreeMap<_, _>>())
}

fn depart(delivered: &[Claim], other: Option<&[Claim]>, earlier: &Earlier) -> Plan {
    let (departed, held) = (key("departed"), key("held"));
    let mut configs = vec![ConfigInput::Departed {
        key: &departed,
        delivered,
    }];
    configs.extend(other.map(|delivered| ConfigInput::Held { key: &held, delivered }));
    let policy = Policy {
        scope: Scope::WholeTruth,
        ..Policy::default()
    };
    plan(&PlanInput {
        cluster: &"cluster-1".parse().unwrap(),
        configs: &configs,
        earlier,
        policy: &policy,
        ledger: &RemovalLedger::default(),
    })
}

fn left(plan: &Plan, delivered: &[Claim], arrived: &[&str]) -> BTreeSet<Claim> {
    let arrived = |name: &NodeName| arrived.contains(&name.as_str());
    plan.claims_after(&key("departed"), delivered, arrived)
}

#[test]
fn a_departure_is_complete_when_every_withdrawal_has_arrived() {
    let delivered = claims(&[1, 2]);
    let plan = depart(&delivered, None, &held(&[1, 2]));
    assert_eq!(plan.deliveries().count(), 2);
    assert!(left(&plan, &delivered, &["w1", "w2"]).is_empty());
    assert_eq!(left(&plan, &delivered, &["w1"]), claims(&[2]).into_iter().collect());
    assert_eq!(left(&plan, &delivered, &[]), delivered.iter().cloned().collect());
}

#[test]
fn a_departure_of_what_nobody_holds_is_complete_at_once() {
    let delivered = claims(&[1]);
    let plan = depart(&delivered, None, &held(&[2]));
    assert_eq!(plan.deliveries().count(), 0);
    assert!(left(&plan, &delivered, &[]).is_empty());
}

#[test]
fn a_departure_does_not_wait_for_what_another_config_answers_for() {
    let (delivered, shared) = (claims(&[1, 2]), claims(&[1]));
    let plan = depart(&delivered, Some(&shared), &held(&[1, 2]));
    assert!(left(&plan, &delivered, &["w2"]).is_empty());
    assert_eq!(plan.claims[&key("held")], shared.into_iter().collect());
}

#[test]
fn a_lost_withdrawal_of_a_node_under_another_name_counts_too() {
    let mut delivered = claims(&[1]);
    delivered[0].node_name = "the-name-it-once-had".parse().unwrap();
    let plan = depart(&delivered, None, &held(&[1]));
    assert_eq!(plan.deliveries().count(), 1);
    assert_eq!(left(&plan, &delivered, &[]), delivered.iter().cloned().collect());
    assert!(left(&plan, &delivered, &["w1"]).is_empty());
}

//! Whole statuses, key for key.

use std::collections::BTreeSet;

use multinic_model::{ConfigKey, InstanceId, NodeName, VmSelector};
use multinic_planner::VmOutcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What a test says about one config; everything else is as after a good pass.
struct Scene {
    vms: Vec<(&'static str, VmOutcome)>,
    claims: BTreeSet<Claim>,
    arrivals: BTreeMap<NodeName, Arrival>,
    findings: Vec<Finding>,
    sight: Sight,
    undelivered: Option<Trouble>,
    before: OpenstackConfigStatus,
    generation: i64,
    second: i64,
    settings: Option<Trouble>,
    events: EventSource,
}

impl Scene {
    fn good() -> Self {
        Self {
            vms: vec![("w1", planned("i-1", "w1", 2)), ("w2", planned("i-2", "w2", 1))],
            claims: BTreeSet::from([claim("i-1", "w1"), claim("i-2", "w2")]),
            arrivals: BTreeMap::new(),
            findings: Vec::new(),
            sight: Sight::Read,
            undelivered: None,
            before: OpenstackConfigStatus::default(),
            generation: 1,
            second: 100,
            settings: None,
            events: EventSource::Unknown,
        }
    }

    fn selection(&self) -> Selection {
        Selection {
            key: key(),
            cluster: "biz".parse().unwrap(),
            provider: "p".parse().unwrap(),
            project: "df64928216f740d3a6b84a66fa30b649".parse().unwrap(),
            subnet: multinic_model::SubnetSelector::Name("red".to_owned()),
            vms: self.vms.iter().map(|(vm, _)| vm_of(vm)).collect(),
        }
    }

    fn status(&self) -> OpenstackConfigStatus {
        let outcomes: BTreeMap<_, _> = self
            .vms
            .iter()
            .map(|(vm, outcome)| (vm_of(vm), outcome.clone()))
            .collect();
        let findings: Vec<_> = self.findings.iter().collect();
        self.visit().planned(&Given {
            selection: &self.selection(),
            sight: &self.sight,
            findings: &findings,
            known: Known {
                outcomes: &outcomes,
                claims: &self.claims,
                arrivals: &self.arrivals,
                before: &self.before.nodes,
            },
            undelivered: self.undelivered.as_ref(),
        })
    }

    fn visit(&self) -> Visit<'_> {
        Visit {
            generation: self.generation,
            before: &self.before,
            now: Timestamp::from_second(self.second).unwrap(),
            settings: self.settings.as_ref(),
            events: &self.events,
        }
    }

    fn after(self, before: &OpenstackConfigStatus) -> Self {
        Self {
            before: before.clone(),
            second: self.second + 100,
            ..self
        }
    }
}

fn key() -> ConfigKey {
    ConfigKey {
        namespace: "ns".to_owned(),
        name: "c".to_owned(),
    }
}

fn vm_of(text: &str) -> VmSelector {
    VmSelector::new(text).unwrap()
}

fn claim(instance: &str, node: &str) -> Claim {
    Claim {
        instance_id: instance.parse().unwrap(),
        node_name: node.parse().unwrap(),
    }
}

fn planned(instance: &str, node: &str, interfaces: usize) -> VmOutcome {
    VmOutcome {
        instance: Some(instance.parse::<InstanceId>().unwrap()),
        node: Some(node.parse().unwrap()),
        interfaces,
        state: VmState::Planned,
        finding: None,
    }
}

fn unfound(reason: FindingReason, state: VmState) -> VmOutcome {
    VmOutcome {
        instance: None,
        node: None,
        interfaces: 0,
        state,
        finding: Some(reason),
    }
}

fn finding(severity: Severity, reason: FindingReason, subject: &str, message: &str) -> Finding {
    Finding {
        severity,
        reason,
        configs: BTreeSet::from([key()]),
        subject: subject.to_owned(),
        message: message.to_owned(),
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, second: i64) -> Value {
    let time = format!("1970-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
    json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
           "lastTransitionTime": time})
}

fn said(status: &OpenstackConfigStatus) -> Vec<(&str, &str, &str)> {
    let conditions = status.conditions.iter();
    conditions
        .map(|condition| {
            (
                condition.type_.as_str(),
                condition.status.as_str(),
                condition.reason.as_str(),
            )
        })
        .collect()
}

#[test]
fn a_good_pass() {
    let found = "Contrabass knows the provider, its password is open";
    let all = "everything that the spec asks for is delivered";
    assert_eq!(
        json!(Scene::good().status()),
        json!({
            "observedGeneration": 1,
            "clusterID": "biz",
            "conditions": [
                condition("CredentialsResolved", "True", "ProviderFound", found, 100),
                condition("CloudReachable", "True", "ProjectRead", "the project was read completely", 100),
                condition("Resolved", "True", "AllFound", "all 2 entries of vmNames and the subnet were found", 100),
                condition("Delivered", "True", "AllDelivered", "the management API has 2 nodes of this config", 100),
                condition("Ready", "True", "Synced", all, 100),
            ],
            "lastSyncTime": "1970-01-01T00:01:40Z",
            "nodeCount": 2,
            "interfaceCount": 3,
            "nodes": [
                {"vm": "w1", "instanceID": "i-1", "nodeName": "w1", "interfaces": 2, "state": "Delivered"},
                {"vm": "w2", "instanceID": "i-2", "nodeName": "w2", "interfaces": 1, "state": "Delivered"},
            ],
        })
    );
}

#[test]
fn a_pass_that_finds_everything_as_it_was_leaves_no_trace() {
    let first = Scene::good().status();
    assert_eq!(Scene::good().after(&first).status(), first);
}

#[test]
fn the_time_of_a_sync_moves_when_something_else_does() {
    let first = Scene::good().status();
    let mut scene = Scene::good().after(&first);
    scene.vms[1].1.interfaces = 4;
    let second = scene.status();
    assert_eq!(json!(second)["lastSyncTime"], "1970-01-01T00:03:20Z");
    let transitions = |status: &OpenstackConfigStatus| {
        status
            .conditions
            .iter()
            .map(|condition| condition.last_transition_time.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(transitions(&second), transitions(&first), "nothing has flipped");
}

fn events(before: &OpenstackConfigStatus, events: EventSource) -> OpenstackConfigStatus {
    let mut scene = Scene::good().after(before);
    scene.events = events;
    scene.status()
}

#[test]
fn where_the_news_come_from_is_said_beside_ready_and_is_no_part_of_it() {
    let down = Trouble::new(Word::BrokerUnreachable, "no connection");
    let cases = [
        (EventSource::Listening, ("EventSource", "True", "Listening")),
        (EventSource::NotConfigured, ("EventSource", "False", "NotConfigured")),
        (
            EventSource::Impaired(down),
            ("EventSource", "False", "BrokerUnreachable"),
        ),
    ];
    for (source, expected) in cases {
        let status = events(&OpenstackConfigStatus::default(), source.clone());
        assert_eq!(said(&status)[4..], [expected, ("Ready", "True", "Synced")]);
        assert!(is_ready(&status));
        assert_eq!(events(&status, source), status, "an idle pass leaves no trace");
    }
}

#[test]
fn a_link_that_is_being_made_anew_leaves_no_trace() {
    let status = events(&OpenstackConfigStatus::default(), EventSource::Listening);
    assert_eq!(events(&status, EventSource::Unknown), status);
    let mut changed = Scene::good().after(&status);
    changed.generation = 2;
    let changed = changed.status();
    assert_eq!(
        changed.conditions[4], status.conditions[4],
        "it is about an earlier spec, and says so"
    );
}

#[test]
fn where_the_news_come_from_is_said_anew_and_nothing_else() {
    let mut scene = Scene::good().after(&events(&OpenstackConfigStatus::default(), EventSource::Listening));
    scene.vms[1].1 = unfound(FindingReason::VMNotFound, VmState::Failed);
    for before in [scene.status(), Scene::good().status()] {
        let mut later = Scene::good().after(&before);
        later.events = EventSource::NotConfigured;
        let restated = later.visit().restated().unwrap();
        assert_eq!(said(&restated)[4], ("EventSource", "False", "NotConfigured"));
        let others = |status: &OpenstackConfigStatus| {
            let others = status.conditions.iter().filter(|found| found.type_ != "EventSource");
            others.cloned().collect::<Vec<_>>()
        };
        assert_eq!(others(&restated), others(&before));
        let conditions = before.conditions.clone();
        assert_eq!(OpenstackConfigStatus { conditions, ..restated }, before);
    }
    let nothing = OpenstackConfigStatus::default();
    assert_eq!(Scene::good().after(&nothing).visit().restated(), None);
}

#[test]
fn a_vm_that_is_not_found_is_said_and_the_others_are_delivered() {
    let mut scene = Scene::good();
    scene.vms[1].1 = unfound(FindingReason::VMNotFound, VmState::Failed);
    scene.claims.remove(&claim("i-2", "w2"));
    scene.findings = vec![finding(
        Severity::Error,
        FindingReason::VMNotFound,
        "w2",
        "no server is named w2",
    )];
    let status = scene.status();
    assert_eq!(
        said(&status)[2..],
        [
            ("Resolved", "False", "VMNotFound"),
            ("Delivered", "True", "AllDelivered"),
            ("Ready", "False", "VMNotFound")
        ]
    );
    assert_eq!(status.conditions[4].message, "VMNotFound: no server is named w2");
    assert_eq!(
        json!(status.nodes[1]),
        json!({"vm": "w2", "interfaces": 0, "state": "Failed", "finding": "VMNotFound"})
    );
}

#[test]
fn a_failed_reading_changes_nothing_but_the_conditions_that_are_about_it() {
    let good = Scene::good().status();
    let mut scene = Scene::good().after(&good);
    scene.sight = Sight::Failed(Trouble::new(
        Word::CloudUnavailable,
        "failed to ask Nova (3 attempts); is it down?",
    ));
    for (_, outcome) in &mut scene.vms {
        *outcome = unfound(FindingReason::ReadingFailed, VmState::Held);
    }
    let status = scene.status();
    assert_eq!(
        said(&status),
        [
            ("CredentialsResolved", "True", "ProviderFound"),
            ("CloudReachable", "False", "CloudUnavailable"),
            ("Resolved", "True", "AllFound"),
            ("Delivered", "True", "AllDelivered"),
            ("Ready", "False", "CloudUnavailable"),
        ]
    );
    assert_eq!(status.conditions[1].message, "failed to ask Nova; is it down?");
    assert_eq!(
        (&status.nodes, &status.last_sync_time),
        (&good.nodes, &good.last_sync_time)
    );
}

#[test]
fn credentials_that_cannot_be_resolved_are_not_blamed_on_the_cloud() {
    let mut scene = Scene::good();
    scene.sight = Sight::Failed(Trouble::new(Word::ProviderNotFound, "Contrabass answered 404"));
    scene.vms.clear();
    scene.claims.clear();
    let status = scene.status();
    assert_eq!(
        said(&status),
        [
            ("CredentialsResolved", "False", "ProviderNotFound"),
            ("CloudReachable", "Unknown", "NotReached"),
            ("Resolved", "Unknown", "NotReached"),
            ("Delivered", "Unknown", "NotReached"),
            ("Ready", "False", "ProviderNotFound"),
        ]
    );
}

#[test]
fn a_slow_reading_leaves_a_config_as_it_was_and_a_new_one_unknown() {
    let good = Scene::good().status();
    let mut scene = Scene::good().after(&good);
    scene.sight = Sight::Pending;
    for (_, outcome) in &mut scene.vms {
        *outcome = unfound(FindingReason::ReadingFailed, VmState::Held);
    }
    assert_eq!(scene.status(), good);
    scene.before = OpenstackConfigStatus::default();
    scene.claims.clear();
    let status = scene.status();
    assert!(
        said(&status)
            .iter()
            .all(|(_, status, reason)| (*status, *reason) == ("Unknown", "ReadingPending"))
    );
    assert!(
        status
            .nodes
            .iter()
            .all(|node| node.state == "Pending" && node.node_name.is_none())
    );
}

#[test]
fn a_changed_spec_is_not_delivered_before_it_was_read_for() {
    let good = Scene::good().status();
    let mut scene = Scene::good().after(&good);
    scene.generation = 2;
    scene.sight = Sight::Failed(Trouble::new(Word::CloudUnavailable, "down"));
    let status = scene.status();
    assert_eq!(said(&status)[3], ("Delivered", "Unknown", "NotReached"));
    assert_eq!(
        (delivered_generation(&good), delivered_generation(&status)),
        (Some(1), None)
    );
}

#[test]
fn another_configs_node_that_did_not_arrive_is_no_matter_of_this_one() {
    let mut scene = Scene::good();
    scene.arrivals.insert("w1".parse().unwrap(), Arrival::Arrived);
    scene.arrivals.insert("w9".parse().unwrap(), Arrival::Missing);
    let status = scene.status();
    assert_eq!(said(&status)[3].1, "True");
}

#[test]
fn a_node_that_did_not_arrive_is_pending_with_what_it_had() {
    let good = Scene::good().status();
    let mut scene = Scene::good().after(&good);
    scene.vms[0].1.interfaces = 5;
    scene.arrivals.insert("w1".parse().unwrap(), Arrival::Missing);
    scene.undelivered = Some(Trouble::new(Word::ManagementApiUnavailable, "no connection"));
    let status = scene.status();
    assert_eq!(
        said(&status)[3..],
        [
            ("Delivered", "False", "ManagementApiUnavailable"),
            ("Ready", "False", "ManagementApiUnavailable")
        ]
    );
    assert_eq!(
        (status.nodes[0].interfaces, status.nodes[0].state.as_str()),
        (2, "Pending")
    );
    assert_eq!(
        (status.nodes[1].interfaces, status.nodes[1].state.as_str()),
        (1, "Delivered")
    );
}

#[test]
fn what_is_still_claimed_but_not_selected_stays_in_the_list() {
    let good = Scene::good().status();
    let mut scene = Scene::good().after(&good);
    scene.vms.pop();
    let status = scene.status();
    assert_eq!(
        json!(status.nodes[1]),
        json!({"vm": "w2", "instanceID": "i-2", "nodeName": "w2", "interfaces": 1, "state": "Pending", "finding": "RemovalPending"})
    );
    scene.claims.remove(&claim("i-2", "w2"));
    assert_eq!(scene.status().nodes.len(), 1);
}

#[test]
fn a_held_mass_removal_is_said() {
    let mut scene = Scene::good();
    scene.findings = vec![finding(
        Severity::Error,
        FindingReason::RemovalHeld,
        "biz",
        "8 of the 10 interfaces would be removed",
    )];
    let status = scene.status();
    assert_eq!(
        said(&status)[2..],
        [
            ("Resolved", "True", "AllFound"),
            ("Delivered", "False", "RemovalHeld"),
            ("Ready", "False", "RemovalHeld")
        ]
    );
}

#[test]
fn warnings_do_not_spoil_ready() {
    let mut scene = Scene::good();
    scene.findings = vec![finding(
        Severity::Warning,
        FindingReason::NoPortOnSubnet,
        "w2",
        "w2 has no port on red",
    )];
    let status = scene.status();
    assert_eq!(said(&status)[4], ("Ready", "True", "Synced"));
    assert_eq!(
        status.conditions[2].message,
        "everything was found; NoPortOnSubnet: w2 has no port on red"
    );
}

#[test]
fn a_broken_new_version_of_the_settings_is_said_and_changes_nothing_else() {
    let mut scene = Scene::good();
    scene.settings = Some(Trouble::new(
        Word::SettingsRejected,
        "config.yaml: sync.interval: no duration",
    ));
    let status = scene.status();
    assert_eq!(said(&status)[4], ("Ready", "True", "SettingsRejected"));
    assert_eq!(Scene::good().after(&status).status().conditions[4].reason, "Synced");
}

#[test]
fn a_spec_that_cannot_be_used_is_said_and_what_was_delivered_stays() {
    let good = Scene::good().status();
    let scene = Scene {
        generation: 2,
        ..Scene::good().after(&good)
    };
    let status = scene.visit().unreadable("spec.vmNames: 0 entries; expected 1 to 500");
    assert_eq!(said(&status)[2], ("Resolved", "False", "InvalidSpec"));
    assert_eq!(said(&status)[4], ("Ready", "False", "InvalidSpec"));
    assert_eq!((&status.nodes, &status.cluster_id), (&good.nodes, &good.cluster_id));
}

#[test]
fn a_record_names_new_nodes_before_they_are_delivered_and_keeps_the_old_ones() {
    let before = Scene::good().status();
    let scene = Scene::good().after(&before);
    let known = BTreeMap::from([(claim("i-1", "w1"), "w1".to_owned())]);
    assert_eq!(scene.visit().ahead(&"biz".parse().unwrap(), &known), None);
    let new = BTreeMap::from([(claim("i-3", "w3"), "w3".to_owned())]);
    let ahead = scene.visit().ahead(&"biz".parse().unwrap(), &new).unwrap();
    let names: Vec<_> = ahead
        .nodes
        .iter()
        .map(|node| (node.vm.as_str(), node.state.as_str()))
        .collect();
    assert_eq!(names, [("w1", "Delivered"), ("w2", "Delivered"), ("w3", "Pending")]);
    assert_eq!(
        (ahead.conditions, ahead.last_sync_time),
        (before.conditions, before.last_sync_time)
    );
    let fresh = Scene::good();
    let ahead = fresh.visit().ahead(&"biz".parse().unwrap(), &new).unwrap();
    assert!(
        said(&ahead)
            .iter()
            .all(|(_, status, reason)| (*status, *reason) == ("Unknown", "NotTriedYet"))
    );
    assert_eq!(ahead.cluster_id, Some("biz".parse().unwrap()));
}

#[test]
fn a_config_that_left_a_cluster_belongs_to_none() {
    let good = Scene::good().status();
    let scene = Scene::good().after(&good);
    let left = BTreeSet::from([claim("i-2", "w2")]);
    let trouble = Trouble::new(Word::ManagementApiUnavailable, "no connection");
    let waiting = scene.visit().leaving(&Known::only(&left, &good.nodes), Some(&trouble));
    assert_eq!(said(&waiting)[3], ("Delivered", "False", "Withdrawing"));
    assert_eq!(
        (waiting.nodes.len(), waiting.cluster_id.as_ref().map(ClusterId::as_str)),
        (1, Some("biz"))
    );
    let none = BTreeSet::new();
    let gone = scene.visit().leaving(&Known::only(&none, &good.nodes), None);
    assert_eq!((gone.nodes.len(), gone.cluster_id), (0, None));
}

#[test]
fn a_list_that_is_too_long_loses_what_can_be_found_out_again() {
    let mut scene = Scene::good();
    let names: Vec<&'static str> = (0..500)
        .map(|n| &*Box::leak(format!("new-{n:03}").into_boxed_str()))
        .collect();
    scene.vms = names
        .iter()
        .map(|name| (*name, unfound(FindingReason::VMNotFound, VmState::Failed)))
        .collect();
    scene.claims = (0..600)
        .map(|n| claim(&format!("i-{n}"), &format!("old-{n}")))
        .collect();
    let nodes = scene.status().nodes;
    assert_eq!(nodes.len(), nodes::MAX_NODES);
    assert_eq!(nodes.iter().filter_map(Claim::recorded).count(), 600);
}

proptest! {
    /// Whatever came before, a second look at the same facts writes nothing.
    #[test]
    fn the_same_facts_give_the_same_status(
        interfaces in 0..3_usize, state in 0..4_u8, arrival in 0..3_u8, sight in 0..3_u8, generation in 1..3_i64,
        claims in any::<bool>(),
    ) {
        let good = Scene::good().status();
        let mut scene = Scene::good().after(&good);
        scene.generation = generation;
        scene.vms[0].1.interfaces = interfaces;
        scene.vms[0].1.state = [VmState::Planned, VmState::Pending, VmState::Held, VmState::Failed][usize::from(state)];
        let arrival = [Arrival::Arrived, Arrival::Missing, Arrival::Rejected][usize::from(arrival)];
        scene.arrivals.insert("w1".parse().unwrap(), arrival);
        if arrival != Arrival::Arrived {
            scene.undelivered = Some(Trouble::new(Word::NodeRejected, "no"));
        }
        scene.sight = match sight {
            0 => Sight::Read,
            1 => Sight::Pending,
            _ => Sight::Failed(Trouble::new(Word::CloudUnavailable, "down")),
        };
        if !claims {
            scene.claims.clear();
        }
        let first = scene.status();
        let again = Scene { before: first.clone(), second: 10_000, ..scene };
        prop_assert_eq!(again.status(), first);
    }

    /// The list never claims a node that the plan does not, and none that it does is missing.
    #[test]
    fn the_list_is_the_record(bits in 0..64_u32, known in any::<bool>()) {
        let all = [claim("i-1", "w1"), claim("i-1", "w1-old"), claim("i-2", "w2"), claim("i-3", "w3"), claim("i-4", "w4"), claim("i-2", "w2-old")];
        let mut scene = Scene::good();
        scene.claims = all.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0).map(|(_, claim)| claim).collect();
        if known {
            scene.before = Scene::good().status();
        }
        let recorded: BTreeSet<_> = scene.status().nodes.iter().filter_map(Claim::recorded).collect();
        prop_assert_eq!(&recorded, &scene.claims);
    }
}

//! Events on what changed in a status, once for each change.

use std::collections::BTreeMap;

use multinic_model::openstack_config::{NodeStatus, OpenstackConfigStatus};

use super::Pass;
use crate::{
    announce::Severity,
    index::Record,
    status::{self, reason::Reason},
};

impl Pass<'_> {
    /// Says how a new status differs from the one before.
    pub(super) fn announce_changes(&self, record: &Record, after: &OpenstackConfigStatus) {
        for (severity, reason, note) in changes(&record.status, after) {
            self.tools
                .announcer
                .announce(&record.reference(), severity, reason, note);
        }
    }
}

type Change = (Severity, &'static str, String);

fn changes(before: &OpenstackConfigStatus, after: &OpenstackConfigStatus) -> Vec<Change> {
    let ready = ready(before, after);
    ready.into_iter().chain(findings(&before.nodes, &after.nodes)).collect()
}

/// Ready became True or False, or False for another reason.
fn ready(before: &OpenstackConfigStatus, after: &OpenstackConfigStatus) -> Option<Change> {
    let (was, is) = (status::ready(before), status::ready(after)?);
    let same = was.is_some_and(|was| (&was.status, &was.reason) == (&is.status, &is.reason));
    if same {
        return None;
    }
    let severity = match is.status.as_str() {
        "True" => Severity::Normal,
        "False" => Severity::Warning,
        _ => return None,
    };
    Some((severity, name(&is.reason)?, is.message.clone()))
}

/// Findings that came, and findings that went, each reason once.
fn findings(before: &[NodeStatus], after: &[NodeStatus]) -> Vec<Change> {
    let (was, is) = (by_reason(before), by_reason(after));
    let came = is.iter().filter(|(reason, _)| !was.contains_key(*reason));
    let came =
        came.filter_map(|(reason, vms)| Some((Severity::Warning, name(reason)?, format!("{reason}: {}", list(vms)))));
    let went = was.iter().filter(|(reason, _)| !is.contains_key(*reason));
    let went = went.map(|(reason, vms)| {
        (
            Severity::Normal,
            "FindingResolved",
            format!("{reason} no longer concerns {}", list(vms)),
        )
    });
    came.chain(went).collect()
}

fn by_reason(nodes: &[NodeStatus]) -> BTreeMap<&str, Vec<&str>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        if let Some(finding) = node.finding.as_deref() {
            reasons.entry(finding).or_default().push(&node.vm);
        }
    }
    reasons
}

fn list(vms: &[&str]) -> String {
    const SHOWN: usize = 10;
    let shown = vms.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match vms.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn name(reason: &str) -> Option<&'static str> {
    Reason::all().map(Reason::as_str).find(|known| *known == reason)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        apimachinery::pkg::apis::meta::v1::{Condition, Time},
        jiff::Timestamp,
    };

    use super::*;

    fn status(ready: &str, reason: &str, findings: &[(&str, &str)]) -> OpenstackConfigStatus {
        let node = |&(vm, finding): &(&str, &str)| NodeStatus {
            vm: vm.to_owned(),
            instance_id: None,
            node_name: None,
            interfaces: 0,
            state: "Failed".to_owned(),
            finding: Some(finding.to_owned()),
        };
        OpenstackConfigStatus {
            conditions: vec![Condition {
                type_: "Ready".to_owned(),
                status: ready.to_owned(),
                reason: reason.to_owned(),
                message: "a message".to_owned(),
                observed_generation: Some(1),
                last_transition_time: Time(Timestamp::UNIX_EPOCH),
            }],
            nodes: findings.iter().map(node).collect(),
            ..OpenstackConfigStatus::default()
        }
    }

    fn reasons(before: &OpenstackConfigStatus, after: &OpenstackConfigStatus) -> Vec<&'static str> {
        changes(before, after)
            .into_iter()
            .map(|(_, reason, _)| reason)
            .collect()
    }

    #[test]
    fn only_what_changed_is_said() {
        let bad = status("False", "VMNotFound", &[("w8", "VMNotFound"), ("w9", "VMNotFound")]);
        let good = status("True", "Synced", &[]);
        let none = OpenstackConfigStatus::default();
        assert_eq!(reasons(&none, &bad), ["VMNotFound", "VMNotFound"], "Ready, and the VMs");
        assert_eq!(reasons(&bad, &bad), [""; 0]);
        assert_eq!(reasons(&bad, &good), ["Synced", "FindingResolved"]);
        assert_eq!(reasons(&none, &status("Unknown", "NotTriedYet", &[])), [""; 0]);
        let other = status("False", "CloudUnavailable", &[("w8", "VMNotFound")]);
        assert_eq!(reasons(&bad, &other), ["CloudUnavailable"]);
    }

    #[test]
    fn vms_of_one_finding_are_said_together() {
        let bad = status("Unknown", "NotTriedYet", &[("w8", "VMNotFound"), ("w9", "VMNotFound")]);
        let said = changes(&OpenstackConfigStatus::default(), &bad);
        assert_eq!(
            said,
            [(Severity::Warning, "VMNotFound", "VMNotFound: w8, w9".to_owned())]
        );
    }
}

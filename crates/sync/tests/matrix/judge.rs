//! The invariant: never a partial or wrong delivery, ids never moved, nothing removed that is there, an honest report.

use std::{error::Error, fmt::Write as _};

use multinic_lab::Service;
use multinic_sync::{Failure, Outcome, Report, once::Pruning};
use multinic_testing::expect::{ids, nodes};
use serde_json::Value;

use super::{
    cloud::{Form, earlier, expected, is_live, truth},
    trial::{Target, Verdict},
};
use crate::common::{Stage, expect::reasons};

type Judgement = Result<(), String>;

pub fn that(holds: bool, problem: impl FnOnce() -> String) -> Judgement {
    if holds { Ok(()) } else { Err(problem()) }
}

pub fn judge(
    stage: &Stage,
    report: &Report,
    form: Form,
    pruning: Pruning,
    target: &Target,
    verdict: Verdict,
) -> Judgement {
    let (before, wanted, after) = (nodes(earlier()), expected(form, pruning.prune), stage.nodes());
    let failed = report.outcome() == Outcome::Failed;
    for node in stage.posted() {
        content(&node)?;
        let right = &wanted[node["nodeName"].as_str().unwrap()];
        let exact = !matches!(verdict, Verdict::Lied | Verdict::NoReadBack);
        that(!exact || &node == right, || format!("sent {node}\ninstead of {right}"))?;
    }
    for (name, node) in after.as_object().unwrap() {
        kept(&before[name], node, verdict)?;
    }
    that(after["old"] == before["old"], || {
        "a node that no config names was touched".to_owned()
    })?;
    match verdict {
        Verdict::Heals => that(!failed && after == wanted, || {
            format!("did not heal: {report:#?}\n{after:#}")
        })?,
        Verdict::Fails => that(failed, || format!("did not fail: {report:#?}"))?,
        Verdict::Either => that(failed || after == wanted, || format!("done, and not done: {after:#}"))?,
        Verdict::Lied => {}
        Verdict::Frozen => {
            let said = reasons(report).contains(&"UnreadableNode".to_owned());
            that(!failed && said, || format!("no word about it: {report:#?}"))?;
            for (name, node) in after.as_object().unwrap() {
                let right = node == &wanted[name] || node == &before[name];
                that(right, || {
                    format!("{name} is neither as it was nor as it should be: {node}")
                })?;
            }
        }
        Verdict::NoReadBack => {
            let said = reasons(report).contains(&"NoReadBack".to_owned());
            that(failed || said, || format!("no word about it: {report:#?}"))?;
        }
    }
    that(!failed || names(report, &marks(stage, target.service)), || {
        format!("who failed? {:#?}", report.failures)
    })
}

/// Nothing is in a node config but what is true.
fn content(node: &Value) -> Judgement {
    for nic in node["interfaces"].as_array().unwrap() {
        let (address, cidr, mtu) = truth(nic["macAddress"].as_str().unwrap());
        let right = nic["address"] == address && nic["cidr"] == cidr && nic["mtu"] == mtu;
        that(right, || format!("wrong content: {nic}"))?;
    }
    Ok(())
}

/// What was there and lives is there, with the id it had.
fn kept(before: &Value, after: &Value, verdict: Verdict) -> Judgement {
    let after = ids(after);
    for (mac, id) in ids(before) {
        match after.get(&mac) {
            Some(new) => that(*new == id || verdict == Verdict::NoReadBack, || {
                format!("{mac} moved from {id} to {new}")
            })?,
            None => that(!is_live(&mac), || format!("{mac} was removed"))?,
        }
    }
    Ok(())
}

/// What a failure at that service may be known by. A token that expires may fail whoever asks next.
fn marks(stage: &Stage, service: Service) -> Vec<String> {
    let openstack = || vec![stage.lab.nova_url(), stage.lab.neutron_url(), "Nova".to_owned()];
    match service {
        Service::Contrabass => vec![stage.lab.contrabass_url()],
        Service::Keystone => vec![stage.lab.keystone_url()],
        Service::Nova | Service::Neutron => openstack(),
        Service::ManagementApi => vec![stage.receiver.url(), "read back the node".to_owned()],
    }
}

/// Whether the failures say where they happened.
fn names(report: &Report, marks: &[String]) -> bool {
    let failures = report.failures.iter().map(|failure| match failure {
        Failure::Place { error, .. } => chain(&**error),
        Failure::ReadBack { error, .. } => chain(&**error),
    });
    let undelivered = report.undelivered().map(|(_, _, reason)| reason.to_owned());
    let mut all = failures.chain(undelivered);
    all.any(|text| marks.iter().any(|mark| text.contains(mark)))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        write!(text, ": {source}").unwrap();
        next = source.source();
    }
    text
}

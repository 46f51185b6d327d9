//! The report on one OpenstackConfig: from what a pass gave to the next status. Pure.
//!
//! The same facts give the same status, whatever came before: times move only when something else does, so that a pass
//! that finds everything as it was writes nothing.

pub mod conditions;
pub mod nodes;
pub mod reason;
pub mod text;
pub mod trouble;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use multinic_model::{
    ClusterId, Selection,
    openstack_config::{NodeStatus, OpenstackConfigStatus},
};
use multinic_planner::{Claim, Finding, Reason as FindingReason, Severity, VmState};

use crate::hints::EventSource;
use conditions::{Kind, Moment, Saying, Sayings};
use nodes::{Arrival, Known};
use reason::Word;
use trouble::Trouble;

/// What every status is made with.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Of the spec.
    pub generation: i64,
    /// The last status.
    pub before: &'a OpenstackConfigStatus,
    /// Now.
    pub now: Timestamp,
    /// Why the newest settings are not in force, while older ones are.
    pub settings: Option<&'a Trouble>,
    /// Where the news about its provider come from.
    pub events: &'a EventSource,
}

/// How far the reading of the config's project came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sight {
    /// Complete.
    Read,
    /// It takes longer than the pass waits for.
    Pending,
    /// It failed.
    Failed(Trouble),
}

/// What a pass gave for a config that was planned.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// What it asks for.
    pub selection: &'a Selection,
    /// How far its project was read.
    pub sight: &'a Sight,
    /// Of this config, the most severe first.
    pub findings: &'a [&'a Finding],
    /// Its VMs, its claims, and what became of the nodes.
    pub known: Known<'a>,
    /// Why nodes did not arrive, if any did not.
    pub undelivered: Option<&'a Trouble>,
}

impl Visit<'_> {
    /// The status after a plan and its delivery.
    pub fn planned(&self, given: &Given<'_>) -> OpenstackConfigStatus {
        let nodes = given.known.list(&given.selection.vms);
        let mut sayings = of_sight(given.sight);
        if *given.sight == Sight::Read {
            sayings.resolved = Some(resolved(given));
            sayings.delivered = Some(delivered(given, &nodes));
        } else if let Some(trouble) = given.undelivered {
            sayings.delivered = Some(Saying::no(trouble.clone()));
        }
        let otherwise = match given.sight {
            Sight::Pending => pending(),
            Sight::Read | Sight::Failed(_) => not_reached(),
        };
        let complete = *given.sight == Sight::Read && given.undelivered.is_none();
        self.conclude(Some(&given.selection.cluster), nodes, sayings, otherwise, complete)
    }

    /// The status of a config whose cluster could not be planned: what it had stays.
    pub fn unplanned(&self, cluster: &ClusterId, sight: &Sight, trouble: &Trouble) -> OpenstackConfigStatus {
        let mut sayings = of_sight(sight);
        sayings.delivered = Some(Saying::no(trouble.clone()));
        self.unchanged_nodes(Some(cluster), sayings, not_reached())
    }

    /// The status of a config that cannot be used.
    pub fn unreadable(&self, message: &str) -> OpenstackConfigStatus {
        let trouble = Trouble::new(Word::InvalidSpec, message);
        let unknown = || Some(Saying::unknown(Word::InvalidSpec, "the spec cannot be used"));
        let sayings = Sayings {
            credentials: unknown(),
            cloud: unknown(),
            resolved: Some(Saying::no(trouble)),
            delivered: unknown(),
        };
        self.unchanged_nodes(self.before.cluster_id.as_ref(), sayings, not_reached())
    }

    /// The status while there never were usable settings.
    pub fn without_settings(&self, trouble: &Trouble) -> OpenstackConfigStatus {
        let unknown = || Some(Saying::unknown(Word::NotReached, "there are no settings to work with"));
        let sayings = Sayings {
            credentials: Some(Saying::no(trouble.clone())),
            cloud: unknown(),
            resolved: unknown(),
            delivered: None,
        };
        self.unchanged_nodes(self.before.cluster_id.as_ref(), sayings, not_reached())
    }

    /// The status of a config whose marking or record could not be written.
    pub fn unrecorded(&self, cluster: &ClusterId, message: &str) -> OpenstackConfigStatus {
        let sayings = Sayings {
            delivered: Some(Saying::no(Trouble::new(Word::NotRecorded, message))),
            ..Sayings::default()
        };
        self.unchanged_nodes(Some(cluster), sayings, not_reached())
    }

    /// The status of a config that leaves a cluster: `known.claims` is what is still to be withdrawn. With nothing left it
    /// belongs to no cluster.
    pub fn leaving(&self, known: &Known<'_>, why: Option<&Trouble>) -> OpenstackConfigStatus {
        let nodes = known.list([]);
        let cluster = self.before.cluster_id.as_ref().filter(|_| !nodes.is_empty());
        let sayings = Sayings {
            delivered: Some(match why {
                Some(trouble) => Saying::no(Trouble::new(Word::Withdrawing, &trouble.message)),
                None if nodes.is_empty() => not_tried(),
                None => Saying::no(Trouble::new(Word::Withdrawing, "what was delivered is being withdrawn")),
            }),
            ..Sayings::default()
        };
        self.conclude(cluster, nodes, sayings, not_tried(), false)
    }

    /// The status that names nodes before they are delivered; `None` if it names them already.
    pub fn ahead(&self, cluster: &ClusterId, claims: &BTreeMap<Claim, String>) -> Option<OpenstackConfigStatus> {
        let nodes = nodes::ahead(&self.before.nodes, claims)?;
        let conditions = if self.before.conditions.is_empty() {
            conditions::conclude(Sayings::default(), None, &self.moment(not_tried()), &[])
        } else {
            self.before.conditions.clone()
        };
        Some(OpenstackConfigStatus {
            cluster_id: Some(cluster.clone()),
            conditions,
            nodes,
            ..self.before.clone()
        })
    }

    /// The status that says anew where the news come from, and nothing else; `None` if there is none to say it in.
    pub fn restated(&self) -> Option<OpenstackConfigStatus> {
        let before = Some(&self.before.conditions).filter(|before| !before.is_empty())?;
        let beside = self.beside(&self.moment(not_tried()));
        Some(OpenstackConfigStatus {
            conditions: conditions::with_beside(before, Kind::EventSource, beside),
            ..self.before.clone()
        })
    }

    fn unchanged_nodes(
        &self,
        cluster: Option<&ClusterId>,
        sayings: Sayings,
        otherwise: Saying,
    ) -> OpenstackConfigStatus {
        self.conclude(cluster, self.before.nodes.clone(), sayings, otherwise, false)
    }

    fn beside(&self, moment: &Moment) -> Option<Condition> {
        let before = &self.before.conditions;
        conditions::beside(Kind::EventSource, of_events(self.events), moment, before)
    }

    const fn moment(&self, otherwise: Saying) -> Moment {
        Moment {
            generation: self.generation,
            now: self.now,
            otherwise,
        }
    }

    fn conclude(
        &self,
        cluster: Option<&ClusterId>,
        nodes: Vec<NodeStatus>,
        sayings: Sayings,
        otherwise: Saying,
        complete: bool,
    ) -> OpenstackConfigStatus {
        let (moment, before) = (self.moment(otherwise), &self.before.conditions);
        let mut conditions = conditions::conclude(sayings, self.beside(&moment), &moment, before);
        if let Some(trouble) = self.settings {
            conditions::explain_ready(&mut conditions, trouble.reason.as_str(), &trouble.message);
        }
        let mut status = OpenstackConfigStatus {
            observed_generation: Some(self.generation),
            conditions,
            cluster_id: cluster.cloned(),
            last_sync_time: self.before.last_sync_time.clone(),
            node_count: Some(count(nodes.iter().filter(|node| node.interfaces > 0).count())),
            interface_count: Some(nodes.iter().fold(0, |sum, node| sum.saturating_add(node.interfaces))),
            nodes,
        };
        // A pass that found everything as it was leaves no trace: else each resync would write every status.
        if complete && (status != *self.before || status.last_sync_time.is_none()) {
            status.last_sync_time = Some(conditions::whole_second(self.now));
        }
        status
    }
}

/// The generation that was delivered in full, as the status says.
pub fn delivered_generation(status: &OpenstackConfigStatus) -> Option<i64> {
    let delivered = conditions::find(&status.conditions, Kind::Delivered);
    delivered
        .filter(|condition| condition.status == "True")
        .and_then(|condition| condition.observed_generation)
}

/// Whether a status says Ready.
pub fn is_ready(status: &OpenstackConfigStatus) -> bool {
    ready(status).is_some_and(|condition| condition.status == "True")
}

/// The condition Ready.
pub fn ready(status: &OpenstackConfigStatus) -> Option<&Condition> {
    conditions::find(&status.conditions, Kind::Ready)
}

fn of_sight(sight: &Sight) -> Sayings {
    let found = || {
        Some(Saying::yes(
            Word::ProviderFound,
            "Contrabass knows the provider, its password is open",
        ))
    };
    match sight {
        Sight::Pending => Sayings::default(),
        Sight::Read => Sayings {
            credentials: found(),
            cloud: Some(Saying::yes(Word::ProjectRead, "the project was read completely")),
            ..Sayings::default()
        },
        Sight::Failed(trouble) if trouble.is_about_credentials() => Sayings {
            credentials: Some(Saying::no(trouble.clone())),
            cloud: Some(not_reached()),
            ..Sayings::default()
        },
        Sight::Failed(trouble) => Sayings {
            credentials: found(),
            cloud: Some(Saying::no(trouble.clone())),
            ..Sayings::default()
        },
    }
}

/// What is still being found out is not said: a connection that is being made anew would show in every status.
fn of_events(events: &EventSource) -> Option<Saying> {
    match events {
        EventSource::Unknown => None,
        EventSource::Listening => Some(Saying::yes(
            Word::Listening,
            "OpenStack's notifications are listened to",
        )),
        EventSource::NotConfigured => Some(Saying::no(Trouble::new(
            Word::NotConfigured,
            "no message broker is used; changes are found by the periodic readings",
        ))),
        EventSource::Impaired(trouble) => Some(Saying::no(trouble.clone())),
    }
}

fn not_tried() -> Saying {
    Saying::unknown(Word::NotTriedYet, "not tried yet")
}

fn not_reached() -> Saying {
    Saying::unknown(Word::NotReached, "not known, because something before it failed")
}

fn pending() -> Saying {
    Saying::unknown(
        Word::ReadingPending,
        "the project is still being read; it goes on when the reading is in",
    )
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A finding that is about what is delivered, not about what the spec means.
const fn is_about_delivery(reason: FindingReason) -> bool {
    matches!(
        reason,
        FindingReason::NodeHeld | FindingReason::RemovalHeld | FindingReason::NoReadBack
    )
}

fn resolved(given: &Given<'_>) -> Saying {
    let of_spec = || {
        given
            .findings
            .iter()
            .filter(|finding| !is_about_delivery(finding.reason))
    };
    let errors: Vec<_> = of_spec()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    if let Some(first) = errors.first() {
        return Saying::no(Trouble::new(first.reason, sentence(&errors)));
    }
    let warnings: Vec<_> = of_spec()
        .filter(|finding| finding.severity == Severity::Warning)
        .collect();
    let message = match warnings.len() {
        0 => format!(
            "all {} entries of vmNames and the subnet were found",
            given.selection.vms.len()
        ),
        _ => format!("everything was found; {}", sentence(&warnings)),
    };
    Saying::yes(Word::AllFound, message)
}

/// The first few findings, then how many more there are.
fn sentence(findings: &[&&Finding]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = findings
        .iter()
        .take(SHOWN)
        .map(|finding| format!("{}: {}", finding.reason, finding.message))
        .collect();
    match findings.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

fn delivered(given: &Given<'_>, nodes: &[NodeStatus]) -> Saying {
    if let Some(trouble) = given.undelivered {
        return Saying::no(trouble.clone());
    }
    let held = given
        .known
        .outcomes
        .values()
        .filter(|outcome| outcome.state == VmState::Held);
    let reasons: Vec<FindingReason> = held.filter_map(|outcome| outcome.finding).collect();
    let mass = given
        .findings
        .iter()
        .find(|finding| finding.reason == FindingReason::RemovalHeld);
    let cause = mass
        .map(|finding| finding.reason)
        .or_else(|| reasons.iter().min().copied());
    if let Some(reason) = cause {
        let about: Vec<_> = given
            .findings
            .iter()
            .filter(|finding| finding.reason == reason)
            .collect();
        return Saying::no(Trouble::new(reason, sentence(&about)));
    }
    // Of what was sent for the whole cluster, other configs' nodes are no matter of this one.
    let mut own = nodes.iter().filter_map(|node| node.node_name.as_ref());
    let arrived = own.all(|node| matches!(given.known.arrivals.get(node), None | Some(Arrival::Arrived)));
    debug_assert!(arrived, "what did not arrive has a trouble");
    let delivered = nodes.iter().filter(|node| node.interfaces > 0).count();
    Saying::yes(
        Word::AllDelivered,
        format!("the management API has {delivered} nodes of this config"),
    )
}

#[cfg(test)]
mod tests;

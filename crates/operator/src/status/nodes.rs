//! The list of nodes in a status: what became of each VM, and the record of what was delivered.
//!
//! An entry with an instance *and* a node name claims that node for the config. So the names stand together only where
//! the plan says that the config answers for the node.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{InstanceId, NodeName, VmSelector, openstack_config::NodeStatus};
use multinic_planner::{Claim, Reason as Finding, VmOutcome, VmState};

use super::reason::Word;
/// The longest list that the schema allows: 500 VMs of the spec and as many that are not withdrawn yet.
pub const MAX_NODES: usize = 1000;

/// What became of the delivery of one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// The management API has it.
    Arrived,
    /// It was not sent, or may not have arrived; it is tried again.
    Missing,
    /// The management API refuses it.
    Rejected,
}

/// What a pass knows about the nodes of one config.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// One for each VM of the spec. A VM without one, or whose project could not be read, stays as it was.
    pub outcomes: &'a BTreeMap<VmSelector, VmOutcome>,
    /// What the config answers for from now on.
    pub claims: &'a BTreeSet<Claim>,
    /// What became of the nodes that were sent.
    pub arrivals: &'a BTreeMap<NodeName, Arrival>,
    /// The list of the last status.
    pub before: &'a [NodeStatus],
}

/// `NodeStatus::state`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr)]
enum State {
    Delivered,
    Pending,
    Held,
    Failed,
}

/// No VM and no node.
static NO_OUTCOMES: BTreeMap<VmSelector, VmOutcome> = BTreeMap::new();
static NO_ARRIVALS: BTreeMap<NodeName, Arrival> = BTreeMap::new();

impl<'a> Known<'a> {
    /// Of a config that leaves: only what it still answers for.
    pub const fn only(claims: &'a BTreeSet<Claim>, before: &'a [NodeStatus]) -> Self {
        Self {
            outcomes: &NO_OUTCOMES,
            claims,
            arrivals: &NO_ARRIVALS,
            before,
        }
    }
}

impl Known<'_> {
    /// The whole list: the VMs of the spec in order, then what is still claimed besides.
    ///
    /// A list that would be longer than [`MAX_NODES`] (when hundreds of VMs are replaced at once) loses entries that can
    /// be found out again: first VMs without a node, then VMs of the spec.
    pub fn list<'s>(&self, vms: impl IntoIterator<Item = &'s VmSelector>) -> Vec<NodeStatus> {
        let mut left: BTreeSet<&Claim> = self.claims.iter().collect();
        let mut nodes: Vec<_> = vms
            .into_iter()
            .map(|vm| {
                let node = self.node(vm);
                left.retain(|other| Some(*other) != Claim::recorded(&node).as_ref());
                node
            })
            .collect();
        let others: Vec<_> = left.into_iter().map(|claim| self.leaving(claim)).collect();
        make_room(&mut nodes, others.len());
        nodes.extend(others.into_iter().take(MAX_NODES));
        nodes
    }

    fn node(&self, vm: &VmSelector) -> NodeStatus {
        let before = self.before.iter().find(|node| node.vm == vm.as_str());
        match self.outcomes.get(vm) {
            Some(outcome) if outcome.finding != Some(Finding::ReadingFailed) => self.seen(vm, outcome),
            _ => self.unseen(vm, before),
        }
    }

    /// Nothing is known of it now: it stays as it was, as far as its claim does.
    fn unseen(&self, vm: &VmSelector, before: Option<&NodeStatus>) -> NodeStatus {
        match before {
            Some(before) if Claim::recorded(before).is_none_or(|claim| self.claims.contains(&claim)) => before.clone(),
            _ => entry(vm.as_str(), State::Pending, Some(Finding::ReadingFailed.as_str())),
        }
    }

    fn seen(&self, vm: &VmSelector, outcome: &VmOutcome) -> NodeStatus {
        let claimed = outcome
            .instance
            .as_ref()
            .and_then(|id| self.claimed(id, outcome.node.as_ref()));
        let arrival = claimed.map_or(Arrival::Arrived, |claim| self.arrival(&claim.node_name));
        let settled = outcome.state != VmState::Held && arrival == Arrival::Arrived;
        let interfaces = match claimed {
            Some(claim) if !settled => self.interfaces_before(claim),
            _ => u32::try_from(outcome.interfaces).unwrap_or(u32::MAX),
        };
        let (state, finding) = judge(outcome, arrival);
        NodeStatus {
            instance_id: outcome.instance.clone(),
            node_name: claimed.map(|claim| claim.node_name.clone()),
            interfaces,
            ..entry(vm.as_str(), state, finding)
        }
    }

    /// The claim on the instance: on the node it is planned for, else on any.
    fn claimed(&self, instance: &InstanceId, node: Option<&NodeName>) -> Option<&Claim> {
        let mut all = self.claims.iter().filter(|claim| claim.instance_id == *instance);
        let planned = self
            .claims
            .iter()
            .find(|claim| claim.instance_id == *instance && Some(&claim.node_name) == node);
        planned.or_else(|| all.next())
    }

    fn arrival(&self, node: &NodeName) -> Arrival {
        self.arrivals.get(node).copied().unwrap_or(Arrival::Arrived)
    }

    fn interfaces_before(&self, wanted: &Claim) -> u32 {
        let before = self
            .before
            .iter()
            .find(|node| Claim::recorded(node).as_ref() == Some(wanted));
        before.map_or(0, |node| node.interfaces)
    }

    /// Claimed, but none of the spec's VMs any more.
    fn leaving(&self, left: &Claim) -> NodeStatus {
        let before = self
            .before
            .iter()
            .find(|node| Claim::recorded(node).as_ref() == Some(left));
        let vm = before.map_or_else(|| left.instance_id.to_string(), |node| node.vm.clone());
        let finding = match self.arrival(&left.node_name) {
            Arrival::Arrived => Finding::RemovalPending.as_str(),
            Arrival::Missing => Word::Withdrawing.into(),
            Arrival::Rejected => Word::NodeRejected.into(),
        };
        NodeStatus {
            instance_id: Some(left.instance_id.clone()),
            node_name: Some(left.node_name.clone()),
            interfaces: before.map_or(0, |node| node.interfaces),
            ..entry(&vm, State::Pending, Some(finding))
        }
    }
}

fn judge(outcome: &VmOutcome, arrival: Arrival) -> (State, Option<&'static str>) {
    let finding = outcome.finding.map(Finding::as_str);
    match (outcome.state, arrival) {
        (VmState::Failed, _) => (State::Failed, finding),
        (VmState::Held, _) => (State::Held, finding),
        (_, Arrival::Rejected) => (State::Failed, Some(Word::NodeRejected.into())),
        (VmState::Planned, Arrival::Arrived) => (State::Delivered, finding),
        (VmState::Planned | VmState::Pending, _) => (State::Pending, finding),
    }
}

fn entry(vm: &str, state: State, finding: Option<&'static str>) -> NodeStatus {
    let state: &'static str = state.into();
    NodeStatus {
        vm: vm.to_owned(),
        instance_id: None,
        node_name: None,
        interfaces: 0,
        state: state.to_owned(),
        finding: finding.map(ToOwned::to_owned),
    }
}

fn make_room(nodes: &mut Vec<NodeStatus>, others: usize) {
    let room = MAX_NODES.saturating_sub(others);
    if nodes.len() <= room {
        return;
    }
    // A stable sort: claims first, the order of the spec otherwise.
    nodes.sort_by_key(|node| Claim::recorded(node).is_none());
    nodes.truncate(room);
    nodes.sort_by(|a, b| a.vm.cmp(&b.vm));
}

/// The list with entries for nodes that are about to be delivered; `None` if all of them are in it. What is there stays,
/// as the delivery may fail.
pub fn ahead(before: &[NodeStatus], claims: &BTreeMap<Claim, String>) -> Option<Vec<NodeStatus>> {
    let known: BTreeSet<_> = before.iter().filter_map(Claim::recorded).collect();
    let new: Vec<_> = claims.iter().filter(|(claim, _)| !known.contains(claim)).collect();
    if new.is_empty() {
        return None;
    }
    let named: BTreeSet<&str> = new.iter().map(|(_, vm)| vm.as_str()).collect();
    let superseded = |node: &&NodeStatus| Claim::recorded(node).is_none() && named.contains(node.vm.as_str());
    let mut nodes: Vec<_> = before.iter().filter(|node| !superseded(node)).cloned().collect();
    let new = new.into_iter().map(|(claim, vm)| NodeStatus {
        instance_id: Some(claim.instance_id.clone()),
        node_name: Some(claim.node_name.clone()),
        ..entry(vm, State::Pending, None)
    });
    nodes.extend(new);
    if nodes.len() > MAX_NODES {
        // What was delivered before is known from nowhere else; what is about to be can be found out again.
        nodes.sort_by_key(|node| Claim::recorded(node).is_none());
        nodes.truncate(MAX_NODES);
    }
    nodes.sort_by(|a, b| (&a.vm, &a.node_name).cmp(&(&b.vm, &b.node_name)));
    Some(nodes)
}

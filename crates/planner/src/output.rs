//! What the plan is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use multinic_model::{ConfigKey, InstanceId, NodeConfig, NodeName, VmSelector};
use strum::{Display, EnumString, IntoStaticStr};

use crate::{Claim, Finding, Reason, RemovalLedger, Severity};

/// What should be delivered, and what the user should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Every node that the plan answers for. Nodes that must stay exactly as they are, whatever they hold, are not
    /// among them.
    pub nodes: BTreeMap<NodeName, PlannedNode>,
    /// The most severe first, then by reason, subject and message.
    pub findings: Vec<Finding>,
    /// To hand to the next plan.
    pub ledger: RemovalLedger,
    /// What became of each entry of each config that exists.
    pub vms: BTreeMap<(ConfigKey, VmSelector), VmOutcome>,
    /// The nodes that each config answers for once this plan is delivered: its record of what it has delivered. Of a node
    /// whose delivery fails, the earlier claims must be kept too ([`Plan::claims_after`]). What a departed config leaves behind, because another
    /// config may select it, is that config's from now on; only what nobody else may select stays the departed one's.
    pub claims: BTreeMap<ConfigKey, BTreeSet<Claim>>,
    pub(crate) order: Vec<NodeName>,
    pub(crate) awaits_confirmation: bool,
}

/// A node config and how it differs from the earlier one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedNode {
    /// All that the node should have.
    pub config: NodeConfig,
    /// What the delivery will be.
    pub change: Change,
}

/// How a node config differs from what the management API holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, EnumString, IntoStaticStr)]
pub enum Change {
    /// The management API has no such node, or cannot say.
    Create,
    /// It has another content, or another server.
    Update,
    /// It has exactly this; nothing is sent.
    Unchanged,
    /// Nothing is left: `interfaces: []`.
    Withdraw,
}

/// What became of one entry of one config's `vmNames`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VmOutcome {
    /// The server that it means.
    pub instance: Option<InstanceId>,
    /// The node that holds its interfaces once the plan is delivered.
    pub node: Option<NodeName>,
    /// How many of the node's interfaces this config contributes; 0 when that cannot be told.
    pub interfaces: usize,
    /// In one word.
    pub state: VmState,
    /// The reason of the most severe finding.
    pub finding: Option<Reason>,
}

/// How far one VM is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, EnumString, IntoStaticStr)]
pub enum VmState {
    /// Everything of it that can be delivered now is in the plan.
    Planned,
    /// A removal, a rename or a port waits for a further reading.
    Pending,
    /// Its node stays as it is until the finding is resolved.
    Held,
    /// It cannot be planned.
    Failed,
}

impl Plan {
    /// What must be sent: withdrawals and shrinking nodes first, a node that gives up a MAC address before the one that
    /// takes it, then the others; by node name otherwise. Never an unchanged one.
    pub fn deliveries(&self) -> impl Iterator<Item = &NodeConfig> {
        self.order
            .iter()
            .filter_map(|name| self.nodes.get(name))
            .map(|node| &node.config)
    }

    /// [`Plan::deliveries`], and after them everything else that the plan answers for: for a full comparison with a
    /// management API that cannot be read back.
    pub fn everything(&self) -> impl Iterator<Item = &NodeConfig> {
        let unchanged = self.nodes.values().filter(|node| node.change == Change::Unchanged);
        self.deliveries().chain(unchanged.map(|node| &node.config))
    }

    /// What a config answers for after this plan was sent: the plan's claims and, of the `delivered` ones that the plan
    /// was made from, those that a node concerns which did not `arrive`.
    ///
    /// A departure is complete when this is empty: nothing of the departed config is left anywhere, or what is left may
    /// be another config's, which answers for it from then on.
    pub fn claims_after(
        &self,
        key: &ConfigKey,
        delivered: &[Claim],
        arrived: impl Fn(&NodeName) -> bool,
    ) -> BTreeSet<Claim> {
        let lost = self.deliveries().filter(|node| !arrived(&node.node_name));
        let (mut names, mut instances) = (BTreeSet::new(), BTreeSet::new());
        for node in lost {
            names.insert(&node.node_name);
            instances.insert(&node.instance_id);
        }
        let concerned = |claim: &&Claim| names.contains(&claim.node_name) || instances.contains(&claim.instance_id);
        let mut claims = self.claims.get(key).cloned().unwrap_or_default();
        claims.extend(delivered.iter().filter(concerned).cloned());
        claims
    }

    /// Whether a removal or a rename was seen that further agreeing readings may deliver.
    pub fn awaits_confirmation(&self) -> bool {
        self.awaits_confirmation
    }

    /// How many interfaces all planned nodes have together.
    pub fn interface_count(&self) -> usize {
        self.nodes.values().map(|node| node.config.interfaces.len()).sum()
    }

    /// How many nodes the plan changes in this way.
    pub fn count(&self, change: Change) -> usize {
        self.nodes.values().filter(|node| node.change == change).count()
    }

    /// The severity of the most severe finding.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.first().map(|finding| finding.severity)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}: {}",
            self.severity, self.reason, self.subject, self.message
        )
    }
}

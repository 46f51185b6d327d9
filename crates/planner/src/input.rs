//! What the plan is made from.

use std::{collections::BTreeSet, num::NonZeroU32};

use multinic_model::{
    ClusterId, ConfigKey, Earlier, InstanceId, NodeName, Selection,
    inventory::{Inventory, PortStatus},
    openstack_config::NodeStatus,
};

use crate::{News, RemovalLedger};

/// Everything one plan depends on; nothing else does it look at.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The workload cluster.
    pub cluster: &'a ClusterId,
    /// Every config of the cluster, in any order. A config of another cluster is ignored.
    pub configs: &'a [ConfigInput<'a>],
    /// What the management API holds now.
    pub earlier: &'a Earlier,
    /// The settings.
    pub policy: &'a Policy,
    /// What the plans before this one already saw missing; empty for the first.
    pub ledger: &'a RemovalLedger,
}

/// One config of the cluster.
#[derive(Clone, Copy, Debug)]
pub enum ConfigInput<'a> {
    /// A config that exists.
    Present {
        /// What it asks for.
        selection: &'a Selection,
        /// What OpenStack said for it. Each [`plan`](crate::plan) counts a complete reading once, so a plan must never
        /// be made twice from one reading.
        reading: Reading<'a>,
        /// The nodes it is known to have delivered.
        delivered: &'a [Claim],
        /// Whether its spec differs from the one that was last delivered in full: direct evidence for removals.
        changed: bool,
    },
    /// A config that exists but cannot be read as a selection: like one whose reading failed. What it may have delivered
    /// stays exactly as it is; what others select on the same nodes goes on.
    Held {
        /// Which one.
        key: &'a ConfigKey,
        /// The nodes it is known to have delivered.
        delivered: &'a [Claim],
    },
    /// A config that is being deleted: its share leaves the union. It never needs a reading (rule 7).
    Departed {
        /// Which one.
        key: &'a ConfigKey,
        /// The nodes it is known to have delivered.
        delivered: &'a [Claim],
    },
}

/// What OpenStack said for one config.
#[derive(Clone, Copy, Debug)]
pub enum Reading<'a> {
    /// Everything, checked. Configs of one project may share one inventory: share the reference then, it is indexed
    /// once. An inventory of another project, or one that was not asked for the config's subnet, counts as failed.
    Complete(&'a Inventory),
    /// The same, where only a part of it is new, or removals were announced.
    Renewed {
        /// All of it.
        inventory: &'a Inventory,
        /// What the last plan did not know.
        news: &'a News,
    },
    /// Nothing that may be used (rule 1).
    Failed,
}

/// A node that a config is known to have delivered, from the list in its status.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claim {
    /// The server.
    pub instance_id: InstanceId,
    /// The node it was delivered as.
    pub node_name: NodeName,
}

impl Claim {
    /// The claim that an entry of a status list records, if the VM was ever delivered.
    pub fn recorded(entry: &NodeStatus) -> Option<Self> {
        Some(Self {
            instance_id: entry.instance_id.clone()?,
            node_name: entry.node_name.clone()?,
        })
    }

    /// The entry of a status list that records this claim and nothing else: written before a delivery, and for what is
    /// left of a VM that is no longer an entry of `vmNames`.
    pub fn record(&self, vm: impl Into<String>, state: impl Into<String>) -> NodeStatus {
        NodeStatus {
            vm: vm.into(),
            instance_id: Some(self.instance_id.clone()),
            node_name: Some(self.node_name.clone()),
            interfaces: 0,
            state: state.into(),
            finding: None,
        }
    }
}

/// The settings that the plan follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Which *new* ports are taken up (rule 4). Default: ACTIVE, DOWN and BUILD.
    pub port_statuses: BTreeSet<PortStatus>,
    /// How much of the truth the configs are. Default: [`Scope::Additive`].
    pub scope: Scope,
    /// How many complete readings must agree before a removal that only a reading shows is delivered. Default: 2.
    pub removal_confirmations: NonZeroU32,
    /// After how many agreeing readings a mass removal is delivered; `None`, the default: never by itself.
    pub held_removal_confirmations: Option<NonZeroU32>,
    /// An operator's explicit word that a mass removal is meant. It lifts the hold, not the confirmations.
    pub allow_mass_removal: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            port_statuses: BTreeSet::from([PortStatus::Active, PortStatus::Down, PortStatus::Build]),
            scope: Scope::Additive,
            removal_confirmations: NonZeroU32::MIN.saturating_add(1),
            held_removal_confirmations: None,
            allow_mass_removal: false,
        }
    }
}

/// How much of the truth the configs are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Other configs may exist that are not in the input: interfaces are added and updated, never removed. What the
    /// configs do not account for on their nodes is kept and listed.
    Additive,
    /// The configs are the whole truth for the nodes they name or claim.
    WholeTruth,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_list_gives_back_the_claims_that_it_records() {
        let claim = Claim {
            instance_id: "vm-1".parse().unwrap(),
            node_name: "w1".parse().unwrap(),
        };
        let entry = claim.record("w1", "Pending");
        assert_eq!(Claim::recorded(&entry), Some(claim));
        let never_delivered = NodeStatus {
            node_name: None,
            ..entry
        };
        assert_eq!(Claim::recorded(&never_delivered), None);
    }
}

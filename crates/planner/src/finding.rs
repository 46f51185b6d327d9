//! Findings: what the user should know, with stable reasons.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use multinic_model::{ConfigKey, VmSelector};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Delivered, but look.
    Warning,
    /// What the user asked for cannot be done for that object.
    Error,
}

/// Why there is a finding. The names are stable: they appear in status, events, metrics and scripts.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, EnumString, IntoStaticStr, VariantArray,
)]
pub enum Reason {
    /// No server of the project has this id or exact name. Correct `vmNames` or `projectID`; a server that was deleted
    /// on purpose can be taken out of `vmNames`.
    VMNotFound,
    /// Several servers of the project have this name. Put the UUID of the one you mean into `vmNames`; until then the
    /// nodes of all of them stay as they are.
    AmbiguousVM,
    /// The server's node name (metadata value, else server name, else id) cannot name a Kubernetes node. Rename the
    /// server or set the metadata key; until then its node stays as it is.
    InvalidNodeName,
    /// Several servers have the same node name. Neither is delivered; rename one or take it out of `vmNames`.
    DuplicateNodeName,
    /// No subnet of the project, shared networks included, has this id or name. Correct `subnetID` or `subnetName`;
    /// nothing of the config is removed meanwhile.
    SubnetNotFound,
    /// Several subnets have this name. Put the id of the one you mean into `subnetID`.
    AmbiguousSubnet,
    /// The subnet is there, but no interface can be built from it (say, its network's MTU is out of range). Correct it
    /// in OpenStack.
    UnusableSubnet,
    /// OpenStack could not be read completely for these configs. Their nodes stay as they are; the cause is reported
    /// with the reading.
    ReadingFailed,
    /// Two live ports have one MAC address. A node knows its NICs by MAC, so only one of the ports is delivered: the one
    /// that was there first. Give the other port a MAC address of its own.
    DuplicateMac,
    /// One reading would remove more than half of the cluster's interfaces (and more than five). Nothing of it is
    /// delivered. If it is meant, allow the mass removal; if not, look for what is missing in OpenStack.
    RemovalHeld,
    /// The node config is not sent, because sending it could take away interfaces that somebody else answers for. The
    /// message names who.
    NodeHeld,
    /// The node's config in the management API breaks the contract. It stays exactly as it is, its server is not delivered
    /// anywhere, and its MAC addresses are given to nobody else. Correct or delete it there.
    UnreadableNode,
    /// The server has no port on the config's subnet. Attach one, or take the server out of `vmNames`.
    NoPortOnSubnet,
    /// A new port is not taken up, because its status is not among the allowed ones (setting `portStatuses`).
    PortStatusNotAllowed,
    /// A port has several addresses that the configs select. An interface has one: the lowest, IPv4 before IPv6.
    SeveralAddresses,
    /// A port exists but cannot be understood. Whatever the node has that could be this port is kept.
    UnreadablePort,
    /// A port's MAC address is still in another node's config. It is taken up here once that node has given it up.
    MacHeldElsewhere,
    /// The node has interfaces that the configs do not account for, and they are kept. The message says why.
    InterfaceKept,
    /// Interfaces are gone from OpenStack. They are removed when a further complete reading agrees.
    RemovalPending,
    /// A server's node name changed. The old name's config is withdrawn and the new name gets the same ids, once a
    /// further complete reading agrees.
    NodeRenamed,
    /// The management API cannot be read back. Interface ids follow the age of the ports, and what others have put
    /// there is not known.
    NoReadBack,
}

impl Reason {
    /// Every reason.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Something the user should know about one VM, port, subnet or node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Why it is there.
    pub reason: Reason,
    /// The configs it concerns.
    pub configs: BTreeSet<ConfigKey>,
    /// The VM, port, subnet, node, project or cluster.
    pub subject: String,
    /// One sentence: what, where and what to do.
    pub message: String,
}

/// Whose status a finding belongs into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Concern<'a> {
    /// Every VM of one config.
    Config(usize),
    /// One entry of one config.
    Selector(usize, &'a VmSelector),
    /// One VM in every config that selects it.
    Vm(usize),
    /// One VM in one config.
    VmIn(usize, usize),
}

/// The order of the list: the most severe first.
type Rank = (Reverse<Severity>, Reason, String, String);

/// Collects findings; one that several configs cause alike becomes one.
#[derive(Default)]
pub(crate) struct Findings<'a> {
    found: BTreeMap<Rank, BTreeSet<&'a ConfigKey>>,
    worst: HashMap<Concern<'a>, (Reverse<Severity>, Reason)>,
}

impl<'a> Findings<'a> {
    pub fn add(
        &mut self,
        (severity, reason): (Severity, Reason),
        (subject, message): (String, String),
        configs: impl IntoIterator<Item = &'a ConfigKey>,
        concern: Option<Concern<'a>>,
    ) {
        if let Some(concern) = concern {
            self.mark(concern, (severity, reason));
        }
        let rank = (Reverse(severity), reason, subject, message);
        self.found.entry(rank).or_default().extend(configs);
    }

    /// Says that a finding which is reported elsewhere concerns this one too.
    pub fn mark(&mut self, concern: Concern<'a>, (severity, reason): (Severity, Reason)) {
        let rank = (Reverse(severity), reason);
        let worst = self.worst.entry(concern).or_insert(rank);
        *worst = rank.min(*worst);
    }

    /// The reason of the most severe finding that any of `concerns` has.
    pub fn worst(&self, concerns: &[Concern<'a>]) -> Option<(Severity, Reason)> {
        let worst = concerns.iter().filter_map(|concern| self.worst.get(concern)).min()?;
        Some((worst.0.0, worst.1))
    }

    pub fn into_list(self) -> Vec<Finding> {
        let finding = |((severity, reason, subject, message), configs): (Rank, BTreeSet<&ConfigKey>)| Finding {
            severity: severity.0,
            reason,
            configs: configs.into_iter().cloned().collect(),
            subject,
            message,
        };
        self.found.into_iter().map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_stable_name() {
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert!(names.contains("VMNotFound") && names.contains("DuplicateMac"));
        assert_eq!("RemovalHeld".parse(), Ok(Reason::RemovalHeld));
    }

    #[test]
    fn one_cause_in_two_configs_is_one_finding_and_errors_come_first() {
        let (a, b) = (key("a"), key("b"));
        let mut findings = Findings::default();
        let text = || ("subject".to_owned(), "message".to_owned());
        findings.add(
            (Severity::Warning, Reason::NoPortOnSubnet),
            text(),
            [&a],
            Some(Concern::Vm(0)),
        );
        findings.add(
            (Severity::Error, Reason::VMNotFound),
            text(),
            [&a],
            Some(Concern::Vm(0)),
        );
        findings.add((Severity::Error, Reason::VMNotFound), text(), [&b], None);
        assert_eq!(
            findings.worst(&[Concern::Vm(0)]),
            Some((Severity::Error, Reason::VMNotFound))
        );
        let list = findings.into_list();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].configs, BTreeSet::from([a, b]));
    }

    fn key(name: &str) -> ConfigKey {
        ConfigKey {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
        }
    }
}

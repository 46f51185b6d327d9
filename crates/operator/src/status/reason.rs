//! Why a condition is as it is: one closed list.
//!
//! Besides these, the reasons of the planner's findings ([`multinic_planner::Reason`]) appear where a finding is the
//! cause. Names are stable: scripts and alerts depend on them.

use multinic_planner::Reason as Finding;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The reasons of conditions that are no findings.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, EnumString, IntoStaticStr, VariantArray,
)]
pub enum Word {
    /// Ready: everything that the spec asks for is delivered. Nothing to do.
    Synced,
    /// CredentialsResolved: Contrabass knows the provider, and its password could be decrypted. Nothing to do.
    ProviderFound,
    /// CloudReachable: the project was read completely. Nothing to do.
    ProjectRead,
    /// Resolved: the subnet and every entry of `vmNames` mean exactly one object. Warnings are in the message.
    AllFound,
    /// Delivered: the management API has every node config of this OpenstackConfig. Nothing to do.
    AllDelivered,
    /// Not tried yet. It will be, within moments; if not, see the operator's log.
    NotTriedYet,
    /// The project is being read and this takes longer than the pass waits for. What was delivered stays; the pass is made
    /// again when the reading is in.
    ReadingPending,
    /// It cannot be told, because something before it failed: see the other conditions.
    NotReached,
    /// The spec cannot be used; the message names the field. What was delivered before stays. Correct the spec.
    InvalidSpec,
    /// The operator has no settings: create the ConfigMap `multinic-operator-config` with the key `config.yaml` in the
    /// operator's namespace.
    SettingsMissing,
    /// The settings cannot be used; the message names the place. Where a good version was in force before, it still is
    /// (and Ready says how things are under it). Correct the ConfigMap or the Secret.
    SettingsRejected,
    /// Contrabass does not answer, or with an error of its own. Check `contrabass.endpoint`, the network, its log.
    ContrabassUnavailable,
    /// Contrabass refuses us. Check `contrabass.token`.
    ContrabassRefused,
    /// Contrabass does not know the provider. Check `spec.credentials.openstackProviderID` and `contrabass.providerPath`.
    ProviderNotFound,
    /// What Contrabass says of the provider cannot be used. Correct its entry, or `contrabass.endpoint`.
    ProviderUnusable,
    /// The provider's `adminPw` (EventSource: its `rabbitMQPw`) cannot be decrypted. Check `contrabass.password` (key, cipher, digest).
    PasswordUnreadable,
    /// Keystone rejects the provider's user for this project. It is not tried again until the credentials or settings
    /// change, or a long pause passes. Check `adminId`, `adminPw` and `domain` in Contrabass and
    /// `spec.credentials.projectID`.
    CredentialsRejected,
    /// Keystone, Nova or Neutron does not answer, or with an error of its own. What was delivered stays. Check the
    /// cloud and the network between.
    CloudUnavailable,
    /// Keystone, Nova or Neutron refuses the request. Check the roles of the provider's user.
    CloudRefused,
    /// The cloud's address cannot be found out. Check `openstack.region`, `openstack.interface`, `openstack.endpoints`.
    CloudEndpointMissing,
    /// OpenStack's answer cannot be used (no JSON, pages without end). Check that the address is an OpenStack API.
    CloudAnswerUnusable,
    /// The management API does not answer, or with an error of its own. The delivery is tried again. Check
    /// `managementApi.endpoint`, the network, its log.
    ManagementApiUnavailable,
    /// The management API refuses the request. Check `managementApi.token` and `managementApi.endpoint`.
    ManagementApiRefused,
    /// The management API's answer cannot be used. Check `managementApi.endpoint`.
    ManagementApiAnswerUnusable,
    /// The settings name no management API. Add `managementApi.endpoint`.
    ManagementApiMissing,
    /// The management API took the request but not these nodes; the message has its reason for each.
    NodeRejected,
    /// The OpenstackConfig could not be marked or its record not be written, so nothing new is delivered for it: what
    /// nobody has recorded could never be withdrawn. Check what refuses the write (a webhook, a quota, the operator's role).
    NotRecorded,
    /// EventSource: OpenStack's notifications are listened to, so that changes are seen at once. Nothing to do.
    Listening,
    /// EventSource: Contrabass names no broker, or `rabbitmq.enabled` is `false`. No error: the periodic readings see every
    /// change.
    NotConfigured,
    /// EventSource: no connection to the broker holds; it is tried again. The periodic readings see every change. Check the
    /// addresses in `rabbitMQUrls`, the network between, TLS, and the operator's log.
    BrokerUnreachable,
    /// EventSource: the broker refuses the user, the password or the virtual host. It is tried again after ever longer
    /// pauses, and at once when Contrabass names another password. Check `rabbitMQId`, `rabbitMQPw` and the user's
    /// permissions.
    BrokerRefused,
    /// EventSource: our queue exists and was declared otherwise. Delete it, or give `rabbitmq.queue.name` another value.
    QueueMismatch,
    /// EventSource: an exchange of Nova or Neutron does not exist. It comes with the first thing that the service publishes;
    /// if it stays away, check the service's `control_exchange` and its notification driver.
    ExchangeMissing,
    /// It is deleted or was moved to another cluster, and what it has delivered is being withdrawn. If it takes long, the
    /// message says why.
    Withdrawing,
}

/// Why a condition is as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The operator's own word.
    Word(Word),
    /// A finding of the planner.
    Finding(Finding),
}

impl Reason {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word(word) => word.into(),
            Self::Finding(finding) => finding.as_str(),
        }
    }

    /// Every reason that a condition can have.
    pub fn all() -> impl Iterator<Item = Self> {
        let words = Word::VARIANTS.iter().copied().map(Self::Word);
        words.chain(Finding::ALL.iter().copied().map(Self::Finding))
    }
}

impl From<Word> for Reason {
    fn from(word: Word) -> Self {
        Self::Word(word)
    }
}

impl From<Finding> for Reason {
    fn from(finding: Finding) -> Self {
        Self::Finding(finding)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own_in_pascal_case() {
        let names: Vec<_> = Reason::all().map(Reason::as_str).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in names {
            assert!(
                name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric),
                "{name}"
            );
        }
    }
}

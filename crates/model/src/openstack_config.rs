//! The custom resource `OpenstackConfig` (contract 3.1) and its way into a checked [`Selection`].

#![allow(
    clippy::struct_field_names,
    reason = "the contract's own keys; the derive repeats the struct"
)]

use std::collections::BTreeSet;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    serde::{Deserialize, Serialize},
};
use kube::{CustomResource, KubeSchema};

use crate::{ClusterId, ConfigKey, InstanceId, NodeName, Selection, SubnetSelector, VmSelector, ids::IdError};

/// Which VMs get the ports of which subnet as additional interfaces, and where their OpenStack is found.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "multinic.example.com",
    version = "v1alpha1",
    kind = "OpenstackConfig",
    plural = "openstackconfigs",
    shortname = "osc",
    category = "multinic",
    namespaced,
    doc = "Which VMs get the ports of which subnet as additional interfaces, and where their OpenStack is found.",
    status = "OpenstackConfigStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name": "Nodes", "type": "integer", "jsonPath": ".status.nodeCount"}"#,
    printcolumn = r#"{"name": "Interfaces", "type": "integer", "jsonPath": ".status.interfaceCount"}"#,
    printcolumn = r#"{"name": "Last-Sync", "type": "date", "jsonPath": ".status.lastSyncTime"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(has(self.subnetID) && self.subnetID != '') || (has(self.subnetName) && self.subnetName != '')")
    .message("one of subnetID and subnetName is required"))]
pub struct OpenstackConfigSpec {
    /// Id of the target subnet. Preferred: it wins over subnetName.
    #[serde(rename = "subnetID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub subnet_id: Option<String>,

    /// Name of the target subnet, used only without subnetID. It must name exactly one subnet of the project; subnets
    /// of networks that are shared into the project count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub subnet_name: Option<String>,

    /// The VMs: each entry is a server UUID or an exact server name in the project.
    #[schemars(length(min = 1, max = 500), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub vm_names: Vec<String>,

    /// Where the OpenStack of these VMs is found. Passwords have no place here: they come from Contrabass.
    pub credentials: CredentialsSpec,
}

/// The ids under which Contrabass and OpenStack know the place.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsSpec {
    /// The OpenStack provider's id in Contrabass.
    #[serde(rename = "openstackProviderID")]
    #[schemars(length(min = 1, max = 128))]
    pub openstack_provider_id: String,

    /// The workload cluster's id. Without it, openstackProviderID names the cluster.
    #[serde(rename = "k8sProviderID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub k8s_provider_id: Option<String>,

    /// The OpenStack project's id: 32 hex digits or a UUID.
    #[serde(rename = "projectID")]
    #[schemars(length(min = 1, max = 36))]
    pub project_id: String,
}

/// What the operator last saw and delivered.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenstackConfigStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// CredentialsResolved, CloudReachable, Resolved, Delivered and Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// When a complete pass last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,

    /// How many nodes this config contributes interfaces to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub node_count: Option<u32>,

    /// How many interfaces it contributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub interface_count: Option<u32>,

    /// The workload cluster that nodes were delivered into. It differs from the spec's while a config moves to another
    /// cluster and its nodes are not withdrawn from this one yet.
    #[serde(rename = "clusterID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub cluster_id: Option<ClusterId>,

    /// One entry per VM: the record of what this config has delivered. At most 500 of the spec and, after a change, as
    /// many that are not withdrawn yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub nodes: Vec<NodeStatus>,
}

/// One VM of a config.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// The entry of vmNames.
    pub vm: String,
    /// The server it resolved to.
    #[serde(rename = "instanceID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub instance_id: Option<InstanceId>,
    /// The node it was delivered as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub node_name: Option<NodeName>,
    /// How many interfaces this config contributes to the node.
    #[schemars(with = "i32")]
    pub interfaces: u32,
    /// Delivered, Pending, Held or Failed.
    pub state: String,
    /// The reason of the most severe finding, such as VMNotFound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// Why an OpenstackConfig cannot be used. Every variant names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The object has no name.
    #[error("metadata.name: missing; give the OpenstackConfig a name")]
    NoName,
    /// Neither selector is there.
    #[error("spec: one of subnetID and subnetName is required")]
    NoSubnet,
    /// A name that Neutron cannot have.
    #[error("spec.subnetName: {chars} characters; Neutron allows at most 255")]
    SubnetNameTooLong {
        /// Its length.
        chars: usize,
    },
    /// `vmNames` is empty or too long.
    #[error("spec.vmNames: {found} entries; expected 1 to {max}", max = Selection::MAX_VMS)]
    VmCount {
        /// How many there are.
        found: usize,
    },
    /// An entry that cannot name a server.
    #[error("spec.vmNames[{index}]: empty or longer than 255 characters")]
    VmName {
        /// Its position, from 0.
        index: usize,
    },
    /// The same entry twice.
    #[error("spec.vmNames[{index}]: {name:?} is already in the list; it is a set")]
    VmTwice {
        /// The position of the second, from 0.
        index: usize,
        /// The entry.
        name: String,
    },
    /// One of the ids.
    #[error("{field}: {source}")]
    Id {
        /// Its path.
        field: &'static str,
        /// What is wrong with it.
        source: IdError,
    },
}

impl OpenstackConfig {
    /// Checks the spec as the CRD's schema does and parses every id.
    ///
    /// An empty `subnetID`, `subnetName` or `k8sProviderID` counts as absent, as templates often leave them empty.
    pub fn selection(&self) -> Result<Selection, SpecError> {
        let name = self
            .metadata
            .name
            .clone()
            .filter(|name| !name.is_empty())
            .ok_or(SpecError::NoName)?;
        let namespace = self.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let credentials = &self.spec.credentials;
        let id = |field| move |source| SpecError::Id { field, source };
        let provider: crate::ProviderId = credentials
            .openstack_provider_id
            .parse()
            .map_err(id("spec.credentials.openstackProviderID"))?;
        let cluster = match present(credentials.k8s_provider_id.as_deref()) {
            Some(text) => text.parse().map_err(id("spec.credentials.k8sProviderID"))?,
            None => ClusterId::from(provider.clone()),
        };
        Ok(Selection {
            key: ConfigKey { namespace, name },
            cluster,
            provider,
            project: credentials
                .project_id
                .parse()
                .map_err(id("spec.credentials.projectID"))?,
            subnet: self.spec.subnet()?,
            vms: self.spec.vms()?,
        })
    }
}

fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

impl OpenstackConfigSpec {
    fn subnet(&self) -> Result<SubnetSelector, SpecError> {
        if let Some(text) = present(self.subnet_id.as_deref()) {
            let id = text.parse().map_err(|source| SpecError::Id {
                field: "spec.subnetID",
                source,
            })?;
            return Ok(SubnetSelector::Id(id));
        }
        let name = present(self.subnet_name.as_deref()).ok_or(SpecError::NoSubnet)?;
        match name.chars().count() {
            0..=255 => Ok(SubnetSelector::Name(name.to_owned())),
            chars => Err(SpecError::SubnetNameTooLong { chars }),
        }
    }

    fn vms(&self) -> Result<BTreeSet<VmSelector>, SpecError> {
        if !(1..=Selection::MAX_VMS).contains(&self.vm_names.len()) {
            return Err(SpecError::VmCount {
                found: self.vm_names.len(),
            });
        }
        let mut vms = BTreeSet::new();
        for (index, name) in self.vm_names.iter().enumerate() {
            let vm = VmSelector::new(name).ok_or(SpecError::VmName { index })?;
            if !vms.insert(vm) {
                return Err(SpecError::VmTwice {
                    index,
                    name: name.clone(),
                });
            }
        }
        Ok(vms)
    }
}

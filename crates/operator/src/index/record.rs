//! One OpenstackConfig as the engine needs it.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use multinic_model::{
    ConfigKey, Selection,
    openstack_config::{OpenstackConfig, OpenstackConfigStatus},
};
use multinic_planner::Claim;

use crate::{finalizer::FINALIZER, watch::Watched};

/// The user's word that a mass removal in the cluster of this config is meant. It holds for one removal: the operator
/// takes the annotation away once nothing is left to remove.
pub const ALLOW_MASS_REMOVAL: &str = "multinic.example.com/allow-mass-removal";

/// What the API server said about one OpenstackConfig.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Namespace and name.
    pub key: ConfigKey,
    /// Another one of the same name has another uid.
    pub uid: String,
    /// Of the object as it was seen.
    pub resource_version: String,
    /// Of the spec.
    pub generation: i64,
    /// When its deletion was asked for.
    pub deleted_at: Option<Timestamp>,
    /// All of them, ours and others'.
    pub finalizers: Vec<String>,
    /// [`ALLOW_MASS_REMOVAL`] is `true`.
    pub allows_mass_removal: bool,
    /// What it asks for, or one line that says why it cannot be used.
    pub spec: Result<Arc<Selection>, String>,
    /// What the operator has recorded.
    pub status: Arc<OpenstackConfigStatus>,
}

impl Record {
    /// Parses what came over the watch; `None` for an object without name or uid, which the API server never sends.
    pub fn new(watched: Watched) -> Option<Self> {
        let Watched { metadata, spec, status } = watched;
        let key = ConfigKey {
            namespace: metadata.namespace.clone()?,
            name: metadata.name.clone()?,
        };
        let annotation = metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(ALLOW_MASS_REMOVAL));
        Some(Self {
            uid: metadata.uid.clone()?,
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
            generation: metadata.generation.unwrap_or_default(),
            deleted_at: metadata.deletion_timestamp.as_ref().map(|time| time.0),
            finalizers: metadata.finalizers.clone().unwrap_or_default(),
            allows_mass_removal: annotation.is_some_and(|value| value == "true"),
            spec: spec.and_then(|spec| {
                let config = OpenstackConfig {
                    metadata,
                    spec,
                    status: None,
                };
                config.selection().map(Arc::new).map_err(|error| error.to_string())
            }),
            status: Arc::new(status),
            key,
        })
    }

    /// Whether it waits for us before it goes.
    pub fn has_finalizer(&self) -> bool {
        self.finalizers.iter().any(|name| name == FINALIZER)
    }

    /// Whether its status says that anything was delivered.
    pub fn has_claims(&self) -> bool {
        self.status.nodes.iter().any(|node| Claim::recorded(node).is_some())
    }

    /// Whether anything but the record differs: only then is there something to do. What the operator writes itself
    /// (status, finalizer put, annotation taken away) is none of it.
    pub fn asks_for_something_else(&self, earlier: &Self) -> bool {
        self.uid != earlier.uid
            || self.generation != earlier.generation
            || self.deleted_at.is_some() != earlier.deleted_at.is_some()
            || self.spec != earlier.spec
            || (!self.has_finalizer() && earlier.has_finalizer())
            || (self.allows_mass_removal && !earlier.allows_mass_removal)
    }

    /// For Events.
    pub fn reference(&self) -> ObjectReference {
        reference(&self.key, &self.uid)
    }
}

/// An OpenstackConfig for Events.
pub fn reference(key: &ConfigKey, uid: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("multinic.example.com/v1alpha1".to_owned()),
        kind: Some("OpenstackConfig".to_owned()),
        namespace: Some(key.namespace.clone()),
        name: Some(key.name.clone()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}

/// The nodes that a status says were delivered.
pub fn claims(status: &OpenstackConfigStatus) -> BTreeSet<Claim> {
    status.nodes.iter().filter_map(Claim::recorded).collect()
}

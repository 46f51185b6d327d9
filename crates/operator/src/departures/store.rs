//! The list in the ConfigMap: written before anything depends on it.

use std::{collections::BTreeSet, sync::Arc};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use multinic_model::ClusterId;
use multinic_planner::Claim;
use serde_json::json;
use tokio::sync::Mutex;

use super::{Queued, RemovalList};
use crate::manager::FIELD_MANAGER;

/// Its name, in the operator's own namespace.
pub const CONFIG_MAP: &str = "multinic-operator-removals";

/// Why the list could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RemovalsError {
    /// The API server did not give it.
    #[error("failed to read the ConfigMap {CONFIG_MAP}")]
    Read(#[source] kube::Error),
    /// The API server did not take it.
    #[error("failed to write the ConfigMap {CONFIG_MAP}")]
    Write(#[source] kube::Error),
    /// It would be too large.
    #[error("failed to queue the removal of {nodes} nodes: the ConfigMap {CONFIG_MAP} is full")]
    Full {
        /// How many.
        nodes: usize,
    },
}

/// The durable list of removals. Clones share it.
#[derive(Clone)]
pub struct Removals {
    api: Api<ConfigMap>,
    list: Arc<Mutex<RemovalList>>,
}

impl Removals {
    /// Reads the list as the last engine left it.
    pub async fn load(client: Client, namespace: &str) -> Result<Self, RemovalsError> {
        let api: Api<ConfigMap> = Api::namespaced(client, namespace);
        let found = api.get_opt(CONFIG_MAP).await.map_err(RemovalsError::Read)?;
        let data = found.and_then(|map| map.data).unwrap_or_default();
        Ok(Self {
            api,
            list: Arc::new(Mutex::new(RemovalList::parse(data))),
        })
    }

    /// What is to be withdrawn in one cluster.
    pub async fn of(&self, cluster: &ClusterId) -> Vec<Queued> {
        self.list.lock().await.of(cluster).cloned().collect()
    }

    /// Every cluster that is concerned.
    pub async fn clusters(&self) -> BTreeSet<ClusterId> {
        self.list.lock().await.clusters().into_iter().cloned().collect()
    }

    /// How many nodes wait.
    pub async fn count(&self) -> usize {
        self.list.lock().await.len()
    }

    /// Adds a removal; it is durable when this returns.
    pub async fn add(&self, queued: Queued) -> Result<(), RemovalsError> {
        let mut list = self.list.lock().await;
        let nodes = queued.claims.len();
        let mut next = list.clone();
        next.add(queued);
        if !next.fits() {
            return Err(RemovalsError::Full { nodes });
        }
        self.write(&next).await?;
        *list = next;
        Ok(())
    }

    /// Keeps only what is `left` of one removal. Returns whether nothing is.
    pub async fn settle(&self, queued: &Queued, left: &BTreeSet<Claim>) -> Result<bool, RemovalsError> {
        let mut list = self.list.lock().await;
        let mut next = list.clone();
        if next.settle(&queued.uid, &queued.cluster, left) {
            self.write(&next).await?;
            *list = next;
        }
        Ok(left.is_empty())
    }

    async fn write(&self, list: &RemovalList) -> Result<(), RemovalsError> {
        let map = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": CONFIG_MAP, "labels": {"app.kubernetes.io/part-of": "multinic"}},
            "data": list.render(),
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.api
            .patch(CONFIG_MAP, &params, &Patch::Apply(map))
            .await
            .map_err(RemovalsError::Write)?;
        Ok(())
    }
}

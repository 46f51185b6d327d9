//! Writes to OpenstackConfigs. All go through the gated client, a bounded number at a time; what the API server answers
//! is handed to the engine at once, so that the next pass knows it even before the watch brings it.

use std::{sync::Arc, time::Duration};

use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use multinic_model::openstack_config::OpenstackConfigStatus;
use serde_json::json;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};

use crate::{
    finalizer,
    index::{ALLOW_MASS_REMOVAL, Record},
    manager::FIELD_MANAGER,
    watch::Watched,
};

/// Of one request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a write that somebody else came before is tried again with what is there now.
const CONFLICTS: usize = 3;

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The object is no more, or is another one of the same name.
    #[error("failed to write an OpenstackConfig: it is gone")]
    Gone,
    /// Another replica has recorded something since: what we know of it is old.
    #[error("failed to write an OpenstackConfig: another replica has written it")]
    Overtaken,
    /// Others write it all the time, or the API server refuses us, or does not answer.
    #[error("failed to write an OpenstackConfig")]
    Refused(#[source] kube::Error),
    /// No answer in time.
    #[error("failed to write an OpenstackConfig: no answer within {} s", TIMEOUT.as_secs())]
    Silent,
}

impl WriteError {
    /// A bounded word for metrics.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Gone => "kubernetes_gone",
            Self::Overtaken | Self::Refused(kube::Error::Api(_)) => "kubernetes_refused",
            Self::Refused(_) | Self::Silent => "kubernetes_unavailable",
        }
    }

    /// For a condition: what the API server said.
    pub fn said(&self) -> String {
        match self {
            Self::Refused(kube::Error::Api(status)) => {
                format!("the API server answered {}: {}", status.code, status.message)
            }
            other => other.to_string(),
        }
    }
}

/// Writes OpenstackConfigs. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    client: Client,
    permits: Arc<Semaphore>,
    written: mpsc::UnboundedSender<Arc<Record>>,
}

impl Writer {
    /// At most `at_once` requests at a time; answers go to `written`.
    pub fn new(client: Client, at_once: usize, written: mpsc::UnboundedSender<Arc<Record>>) -> Self {
        Self {
            client,
            permits: Arc::new(Semaphore::new(at_once)),
            written,
        }
    }

    /// Puts our finalizer. A config that is being deleted meanwhile is gone for this purpose.
    pub async fn mark(&self, record: &Arc<Record>) -> Result<Arc<Record>, WriteError> {
        let api = self.api(record);
        let mut newest = Arc::clone(record);
        for _ in 0..CONFLICTS {
            if newest.has_finalizer() {
                return Ok(newest);
            }
            if newest.deleted_at.is_some() {
                return Err(WriteError::Gone);
            }
            match self.bounded(finalizer::put(&api, &newest)).await {
                Ok(object) => return self.accept(record, object),
                Err(error) => newest = self.newer(&api, record, error).await?,
            }
            if newest.status != record.status {
                return Err(WriteError::Overtaken);
            }
        }
        Err(WriteError::Gone)
    }

    /// Takes our finalizer away. A config that is gone already is as good.
    pub async fn unmark(&self, record: &Arc<Record>) -> Result<(), WriteError> {
        let api = self.api(record);
        let mut newest = Arc::clone(record);
        for _ in 0..CONFLICTS {
            if !newest.has_finalizer() {
                return Ok(());
            }
            match self.bounded(finalizer::take(&api, &newest)).await {
                Ok(_) => return Ok(()),
                Err(error) => match self.newer(&api, record, error).await {
                    // What was withdrawn was what the old record names.
                    Ok(newer) if newer.status != record.status => return Err(WriteError::Overtaken),
                    Ok(newer) => newest = newer,
                    Err(WriteError::Gone) => return Ok(()),
                    Err(error) => return Err(error),
                },
            }
        }
        Err(WriteError::Gone)
    }

    /// Writes the status, unless it is what is there. It takes the place of the one that we know and of no other: the
    /// list of nodes is the only record of what was delivered.
    pub async fn status(
        &self,
        record: &Arc<Record>,
        status: &OpenstackConfigStatus,
    ) -> Result<Arc<Record>, WriteError> {
        if *record.status == *status {
            return Ok(Arc::clone(record));
        }
        let api = self.api(record);
        let mut newest = Arc::clone(record);
        for _ in 0..CONFLICTS {
            match self.put_status(&api, &newest, status).await {
                Ok(object) => return self.accept(record, object),
                Err(error) => newest = self.newer(&api, record, error).await?,
            }
            if newest.status != record.status {
                return Err(WriteError::Overtaken);
            }
        }
        Err(WriteError::Overtaken)
    }

    async fn put_status(
        &self,
        api: &Api<Watched>,
        newest: &Record,
        status: &OpenstackConfigStatus,
    ) -> Result<Watched, WriteError> {
        let patch = json!({
            "apiVersion": "multinic.example.com/v1alpha1",
            "kind": "OpenstackConfig",
            // With the uid the answer for another object of the same name is a conflict.
            "metadata": {"name": newest.key.name, "uid": newest.uid, "resourceVersion": newest.resource_version},
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.bounded(api.patch_status(&newest.key.name, &params, &Patch::Apply(patch)))
            .await
    }

    /// Takes the user's word for a mass removal away: it was for one.
    pub async fn forget_permission(&self, record: &Arc<Record>) -> Result<(), WriteError> {
        let patch = json!({"metadata": {"uid": record.uid, "annotations": {ALLOW_MASS_REMOVAL: null}}});
        let (api, params) = (self.api(record), PatchParams::default());
        let object = self
            .bounded(api.patch(&record.key.name, &params, &Patch::Merge(patch)))
            .await?;
        self.accept(record, object).map(drop)
    }

    fn api(&self, record: &Record) -> Api<Watched> {
        Api::namespaced(self.client.clone(), &record.key.namespace)
    }

    async fn bounded<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, WriteError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.map_err(|_| WriteError::Silent)?;
        match timeout(TIMEOUT, request).await {
            Ok(answer) => answer.map_err(WriteError::Refused),
            Err(_) => Err(WriteError::Silent),
        }
    }

    /// After a conflict: the object as it is now.
    async fn newer(&self, api: &Api<Watched>, record: &Record, error: WriteError) -> Result<Arc<Record>, WriteError> {
        match error {
            WriteError::Refused(kube::Error::Api(status)) if status.code == 409 => {}
            WriteError::Refused(kube::Error::Api(status)) if status.code == 404 => return Err(WriteError::Gone),
            other => return Err(other),
        }
        let object = self.bounded(api.get_opt(&record.key.name)).await?;
        self.accept(record, object.ok_or(WriteError::Gone)?)
    }

    fn accept(&self, asked: &Record, object: Watched) -> Result<Arc<Record>, WriteError> {
        let record = Record::new(object)
            .filter(|record| record.uid == asked.uid)
            .ok_or(WriteError::Gone)?;
        let record = Arc::new(record);
        // Nobody listens any more when the engine stops.
        let _ = self.written.send(Arc::clone(&record));
        Ok(record)
    }
}

//! One node: its object is read, compared, and written or deleted.

use std::time::Duration;

use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    core::{ApiResource, DynamicObject},
};
use multinic_model::{ClusterId, NodeConfig, NodeName, multinic_node_config::MultiNicNodeConfig};

use super::{
    error::DeliveryError,
    fence::Fence,
    object::{FIELD_MANAGER, NAMESPACE, Standing, compare, has_interfaces, is_of, object},
};

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Done {
    /// The object is as it should be now.
    Written,
    /// It was already.
    Unchanged,
    /// It is not there any more.
    Deleted,
    /// It was not there.
    Absent,
    /// It is somebody else's, so there is nothing of ours to be taken away.
    NotOurs,
    /// Nothing: something else is wanted by now.
    Superseded,
}

/// Which objects may be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    /// Whatever it says.
    Any,
    /// Only one that gives its node no interface.
    Empty,
}

/// Writes into one cluster.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    api: Api<DynamicObject>,
    cluster: ClusterId,
    fence: Fence,
    time: Duration,
}

impl Writer {
    pub fn new(client: Client, cluster: ClusterId, fence: Fence, time: Duration) -> Self {
        let resource = ApiResource::erase::<MultiNicNodeConfig>(&());
        Self {
            api: Api::namespaced_with(client, NAMESPACE, &resource),
            cluster,
            fence,
            time,
        }
    }

    pub const fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    pub fn objects(&self) -> Api<DynamicObject> {
        self.api.clone()
    }

    /// Makes the object as it should be.
    pub async fn apply(&self, config: &NodeConfig) -> Result<Done, DeliveryError> {
        let wanted = object(&self.cluster, config);
        if let Some(found) = self.find(&config.node_name).await? {
            match compare(&found, &wanted) {
                Standing::Same => return Ok(Done::Unchanged),
                Standing::Foreign(owner) => return Err(DeliveryError::foreign(owner.as_deref(), &self.cluster)),
                Standing::Different | Standing::Unclaimed => {}
            }
        }
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let name = config.node_name.as_str();
        let patch = Patch::Apply(&wanted);
        self.ask(self.api.patch(name, &params, &patch)).await?;
        Ok(Done::Written)
    }

    /// Takes the object away, just as it was read: if anybody changes it meanwhile it stays.
    pub async fn delete(&self, node: &NodeName, which: Which) -> Result<Done, DeliveryError> {
        let Some(found) = self.find(node).await? else {
            return Ok(Done::Absent);
        };
        if !is_of(&found, &self.cluster) {
            return Ok(Done::NotOurs);
        }
        if which == Which::Empty && has_interfaces(&found) {
            return Err(DeliveryError::Conflict);
        }
        let meta = found.meta();
        let params = DeleteParams::default().preconditions(Preconditions {
            resource_version: meta.resource_version.clone(),
            uid: meta.uid.clone(),
        });
        match self.ask(self.api.delete(node.as_str(), &params)).await {
            Ok(_) => Ok(Done::Deleted),
            Err(DeliveryError::NotInstalled { .. }) => Ok(Done::Absent),
            Err(error) => Err(error),
        }
    }

    pub async fn find(&self, node: &NodeName) -> Result<Option<DynamicObject>, DeliveryError> {
        self.ask(self.api.get_opt(node.as_str())).await
    }

    async fn ask<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, DeliveryError> {
        if !self.fence.is_open() {
            return Err(DeliveryError::Fenced);
        }
        match tokio::time::timeout(self.time, request).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(DeliveryError::TimedOut(self.time)),
        }
    }
}

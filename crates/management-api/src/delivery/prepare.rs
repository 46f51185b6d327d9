//! What a cluster needs before it gets objects: the CustomResourceDefinition and the namespace.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
    core::{ApiResource, DynamicObject, ObjectMeta},
};
use multinic_model::multinic_node_config::MultiNicNodeConfig;

use super::{
    crd::{Verdict, judge, ours},
    error::DeliveryError,
    fence::Fence,
    object::{FIELD_MANAGER, NAMESPACE},
};
use crate::store::providers::CrdHandling;

/// What was found out about a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prepared {
    /// A node's object may have an empty list of interfaces.
    pub takes_empty: bool,
}

/// Prepares a cluster, as far as that is allowed and needed.
pub(super) async fn prepare(
    client: &Client,
    handling: CrdHandling,
    fence: &Fence,
    time: Duration,
) -> Result<Prepared, DeliveryError> {
    if !fence.is_open() {
        return Err(DeliveryError::Fenced);
    }
    match tokio::time::timeout(time, steps(client, handling)).await {
        Ok(prepared) => prepared,
        Err(_) => Err(DeliveryError::TimedOut(time)),
    }
}

async fn steps(client: &Client, handling: CrdHandling) -> Result<Prepared, DeliveryError> {
    let takes_empty = definition(client, handling).await?;
    namespace(client).await?;
    // The definition may have been made just now: the objects are served a moment later.
    let resource = ApiResource::erase::<MultiNicNodeConfig>(&());
    let objects: Api<DynamicObject> = Api::namespaced_with(client.clone(), NAMESPACE, &resource);
    objects.list_metadata(&ListParams::default().limit(1)).await?;
    Ok(Prepared { takes_empty })
}

async fn definition(client: &Client, handling: CrdHandling) -> Result<bool, DeliveryError> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let ours = ours();
    let found = match definitions.get_opt(&ours.name_any()).await.map_err(DeliveryError::from) {
        Ok(found) => found,
        // Who may not look at definitions may still write objects: whether they are served is seen next.
        Err(DeliveryError::Forbidden { .. }) => return Ok(true),
        Err(error) => return Err(error),
    };
    let verdict = found.as_ref().map(judge);
    match (verdict, handling) {
        (Some(Verdict::Use { takes_empty }), _) => return Ok(takes_empty),
        (Some(Verdict::Useless), _) => {
            return Err(DeliveryError::Crd {
                reason: "it does not serve multinic.io/v1alpha1",
            });
        }
        (None, CrdHandling::Leave) => {
            return Err(DeliveryError::Crd {
                reason: "there is none, and the provider's settings say to leave it alone; install it: multinic crd multinicnodeconfig",
            });
        }
        (Some(Verdict::Update), CrdHandling::Leave) => return Ok(true),
        (None | Some(Verdict::Update), CrdHandling::Manage) => {}
    }
    let params = PatchParams::apply(FIELD_MANAGER).force();
    match definitions
        .patch(&ours.name_any(), &params, &Patch::Apply(&ours))
        .await
        .map_err(DeliveryError::from)
    {
        Ok(_) => {
            tracing::info!(version = "v1alpha1", "the MultiNicNodeConfig definition was installed");
            Ok(true)
        }
        Err(DeliveryError::Forbidden { .. }) if found.is_some() => Ok(true),
        Err(DeliveryError::Forbidden { .. }) => Err(DeliveryError::Crd {
            reason: "there is none, and this server may not install it; install it: multinic crd multinicnodeconfig",
        }),
        Err(error) => Err(error),
    }
}

async fn namespace(client: &Client) -> Result<(), DeliveryError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    match namespaces.get_opt(NAMESPACE).await.map_err(DeliveryError::from) {
        Ok(None) => {}
        // Who may not look at namespaces finds out with the first object.
        Ok(Some(_)) | Err(DeliveryError::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(NAMESPACE.to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let created = namespaces.create(&kube::api::PostParams::default(), &namespace).await;
    match created.map_err(DeliveryError::from) {
        Ok(_) | Err(DeliveryError::Conflict) => Ok(()),
        Err(DeliveryError::Forbidden { .. }) => Err(DeliveryError::NotInstalled {
            message: format!("there is no namespace {NAMESPACE}, and this server may not create it"),
        }),
        Err(error) => Err(error),
    }
}

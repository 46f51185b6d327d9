//! Our mark on an OpenstackConfig: it does not go before what it has delivered is withdrawn.
//!
//! Only our own name is ever put or taken, and only against the very version of the object whose list we know, so that
//! a finalizer that somebody else puts at the same time is never lost.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{index::Record, watch::Watched};

/// Our finalizer.
pub const FINALIZER: &str = "multinic.example.com/withdraw";

/// Puts the finalizer. Returns the object as it is now.
pub async fn put(api: &Api<Watched>, record: &Record) -> kube::Result<Watched> {
    let with: Vec<&str> = others(record).chain([FINALIZER]).collect();
    replace(api, record, &with).await
}

/// Takes the finalizer away; the object may be gone afterwards.
pub async fn take(api: &Api<Watched>, record: &Record) -> kube::Result<Watched> {
    let without: Vec<&str> = others(record).collect();
    replace(api, record, &without).await
}

fn others(record: &Record) -> impl Iterator<Item = &str> {
    record
        .finalizers
        .iter()
        .map(String::as_str)
        .filter(|name| *name != FINALIZER)
}

async fn replace(api: &Api<Watched>, record: &Record, finalizers: &[&str]) -> kube::Result<Watched> {
    let patch = json!({"metadata": {
        "uid": record.uid,
        "resourceVersion": record.resource_version,
        "finalizers": finalizers,
    }});
    api.patch(&record.key.name, &PatchParams::default(), &Patch::Merge(patch))
        .await
}

//! Discovery, group by group.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kinds::{Kind, Registry};

/// The versions of the core group.
pub(super) fn core() -> Value {
    json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
    })
}

pub(super) fn groups(registry: &Registry) -> Value {
    let groups = registry.groups();
    let named = groups.iter().filter(|(name, _)| !name.is_empty());
    let groups: Vec<Value> = named.map(|(name, versions)| group_of(name, versions)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

pub(super) fn group(registry: &Registry, name: &str) -> Option<Value> {
    let groups = registry.groups();
    let mut group = group_of(name, groups.get(name).filter(|_| !name.is_empty())?);
    group["kind"] = json!("APIGroup");
    group["apiVersion"] = json!("v1");
    Some(group)
}

fn group_of(name: &str, versions: &[String]) -> Value {
    let of = |version: &String| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<Value> = versions.iter().map(of).collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

pub(super) fn resources(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let kinds = registry.of_group(group, version);
    let api_version = kinds.first()?.api_version();
    let resources: Vec<Value> = kinds.iter().flat_map(|kind| resource(kind)).collect();
    Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}))
}

fn resource(kind: &Kind) -> Vec<Value> {
    let mut resource = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": kind.verbs(),
        "storageVersionHash": storage_version_hash(kind),
    });
    if !kind.short_names.is_empty() {
        resource["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        resource["categories"] = json!(kind.categories);
    }
    let status = kind.has_status.then(|| {
        json!({
            "name": format!("{}/status", kind.plural), "singularName": "", "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": ["get", "patch", "update"],
        })
    });
    std::iter::once(resource).chain(status).collect()
}

fn storage_version_hash(kind: &Kind) -> String {
    let digest = Sha256::digest(format!("{}/{}/{}", kind.group, kind.version, kind.kind));
    STANDARD.encode(&digest[..8])
}

//! Discovery, all at once (`apidiscovery.k8s.io/v2`).

use serde_json::{Value, json};

use crate::kinds::{Kind, Registry};

pub(super) const CONTENT_TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether the client prefers it.
pub(super) fn is_wanted(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let has = |parameter: &str| range.split(';').any(|part| part.trim() == parameter);
        has("application/json") && has("as=APIGroupDiscoveryList") && has("v=v2") && has("g=apidiscovery.k8s.io")
    })
}

/// The core group, or all others.
pub(super) fn list(registry: &Registry, core: bool) -> Value {
    let groups = registry.groups();
    let groups = groups.iter().filter(|(name, _)| name.is_empty() == core);
    let items: Vec<Value> = groups.map(|(name, versions)| group(registry, name, versions)).collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn group(registry: &Registry, name: &str, versions: &[String]) -> Value {
    let of = |version: &String| {
        let resources: Vec<Value> = registry
            .of_group(name, version)
            .into_iter()
            .map(|kind| resource(kind))
            .collect();
        json!({"version": version, "resources": resources, "freshness": "Current"})
    };
    let versions: Vec<Value> = versions.iter().map(of).collect();
    let metadata = if name.is_empty() {
        json!({})
    } else {
        json!({"name": name})
    };
    json!({"metadata": metadata, "versions": versions})
}

fn resource(kind: &Kind) -> Value {
    // The core group's kinds leave their group and version empty: they are the group's own.
    let (group, version) = if kind.group.is_empty() {
        ("", "")
    } else {
        (kind.group.as_str(), kind.version.as_str())
    };
    let response_kind = json!({"group": group, "version": version, "kind": kind.kind});
    let mut resource = json!({
        "resource": kind.plural, "singularResource": kind.singular, "responseKind": response_kind,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "verbs": kind.verbs(),
    });
    if !kind.short_names.is_empty() {
        resource["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        resource["categories"] = json!(kind.categories);
    }
    if kind.has_status {
        let verbs = ["get", "patch", "update"];
        resource["subresources"] = json!([{"subresource": "status", "responseKind": response_kind, "verbs": verbs}]);
    }
    resource
}

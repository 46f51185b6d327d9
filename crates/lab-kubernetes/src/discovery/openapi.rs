//! OpenAPI: no schemas, only what tells kubectl that the server validates fields itself.

use axum::body::Body;
use serde_json::{Map, Value, json};

use crate::{
    http::Answer,
    kinds::{Kind, Registry},
    status::ApiError,
};

/// A document of OpenAPI 2 with a title and a version and nothing else, as protocol buffers: `swagger` (field 1) and
/// `info` (field 2) with `title` and `version`. It knows no kinds, so kubectl 1.20 validates none.
const EMPTY_V2: &[u8] = b"\x0a\x032.0\x12\x13\x0a\x0aKubernetes\x12\x05v1.36";

const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2";

/// The parameters that every patch takes.
const PARAMETERS: [&str; 5] = ["dryRun", "fieldManager", "fieldValidation", "force", "pretty"];

pub(super) fn v2(accept: &str) -> Result<Answer, ApiError> {
    let ranges: Vec<&str> = accept
        .split(',')
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .collect();
    if ranges.iter().any(|range| range.starts_with(V2_PROTOBUF)) {
        // kubectl 1.20 asks for a type that it cannot read as the type of an answer.
        let content_type = format!("{V2_PROTOBUF}.v1.0+protobuf");
        return Ok(Answer::of(200, &content_type, Body::from(EMPTY_V2)));
    }
    if ranges
        .iter()
        .any(|range| ["", "application/json", "*/*"].contains(range))
    {
        let info = json!({"title": "Kubernetes", "version": "v1.36"});
        return Ok(Answer::json(200, &json!({"swagger": "2.0", "info": info, "paths": {}})));
    }
    Err(ApiError::not_acceptable("application/json"))
}

/// Where the documents of the groups are.
pub(super) fn index(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for kind in registry.all() {
        let path = root(kind);
        let url = format!("/openapi/v3/{path}");
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

/// The document of one group and version.
pub(super) fn v3(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let kinds = registry.of_group(group, version);
    kinds.first()?;
    let paths: Map<String, Value> = kinds.iter().map(|kind| (path_of(kind), patch_of(kind))).collect();
    let info = json!({"title": "Kubernetes", "version": "v1.36"});
    Some(json!({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}))
}

fn root(kind: &Kind) -> String {
    if kind.group.is_empty() {
        format!("api/{}", kind.version)
    } else {
        format!("apis/{}", kind.api_version())
    }
}

fn path_of(kind: &Kind) -> String {
    let namespace = if kind.namespaced { "namespaces/{namespace}/" } else { "" };
    format!("/{}/{namespace}{}/{{name}}", root(kind), kind.plural)
}

fn patch_of(kind: &Kind) -> Value {
    let parameter = |name: &&str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let parameters: Vec<Value> = PARAMETERS.iter().map(parameter).collect();
    json!({"patch": {
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
    }})
}

//! Bodies of requests: bounded, and of a media type that is understood.

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::Value;

use super::protobuf;
use crate::{
    kinds::Kind,
    operations::{Patch, PatchFormat},
    status::ApiError,
};

/// The most that a body may have: 3 MiB, as in Kubernetes.
const LIMIT: usize = 3 * 1024 * 1024;

/// Reads a body.
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    let too_large = |_| {
        ApiError::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {LIMIT}"),
        )
    };
    to_bytes(body, LIMIT).await.map_err(too_large)
}

/// An object in JSON or YAML.
pub(super) fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, ApiError> {
    match media_type(headers) {
        "" | "application/json" => json(bytes),
        "application/yaml" => yaml(bytes),
        // The accepted types do not name this one: only some objects are understood.
        "application/vnd.kubernetes.protobuf" => protobuf::read(bytes).ok_or_else(unknown_object),
        _ => Err(unknown_object()),
    }
}

fn unknown_object() -> ApiError {
    ApiError::unsupported_media(&["application/json", "application/yaml"])
}

/// A patch in one of the formats that the kind understands.
pub(super) fn patch(kind: &Kind, headers: &HeaderMap, bytes: &[u8]) -> Result<Patch, ApiError> {
    let format = match media_type(headers) {
        "application/json-patch+json" => PatchFormat::Json,
        "application/merge-patch+json" => PatchFormat::Merge,
        "application/strategic-merge-patch+json" if kind.builtin().is_some() => PatchFormat::Strategic,
        "application/apply-patch+yaml" => PatchFormat::Apply,
        _ => return Err(unknown_patch(kind)),
    };
    let body = if format == PatchFormat::Apply {
        yaml(bytes)?
    } else {
        json(bytes)?
    };
    Ok(Patch { format, body })
}

fn unknown_patch(kind: &Kind) -> ApiError {
    let json = ["application/json-patch+json", "application/merge-patch+json"];
    let mut accepted = json.to_vec();
    if kind.builtin().is_some() {
        accepted.push("application/strategic-merge-patch+json");
    }
    accepted.push("application/apply-patch+yaml");
    ApiError::unsupported_media(&accepted)
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| ApiError::bad_request(format!("invalid JSON: {error}")))
}

/// YAML, of which JSON is a part.
fn yaml(bytes: &[u8]) -> Result<Value, ApiError> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::bad_request("error decoding YAML: not UTF-8"))?;
    serde_saphyr::from_str(text).map_err(|error| ApiError::bad_request(format!("error decoding YAML: {error}")))
}

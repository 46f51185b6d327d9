//! What the server says about itself: its version, its resources, and as much OpenAPI as `kubectl apply` asks for.

mod aggregated;
mod legacy;
mod openapi;

use axum::body::Body;
use http::{Method, header, request::Parts};
use serde_json::{Value, json};

use crate::{http::Answer, state::State, status::ApiError};

/// Answers a request that is not about objects.
pub(crate) fn answer(state: &State, parts: &Parts) -> Result<Answer, ApiError> {
    let path: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let accept = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if parts.method != Method::GET {
        return Err(if path.as_slice() == ["api"] || path.as_slice() == ["apis"] {
            ApiError::not_allowed("discovery")
        } else {
            ApiError::no_such_path()
        });
    }
    let registry = &state.registry;
    let found = match path.as_slice() {
        ["version"] => Some(version()),
        ["healthz" | "readyz" | "livez"] => return Ok(Answer::of(200, "text/plain; charset=utf-8", Body::from("ok"))),
        ["api" | "apis"] if aggregated::is_wanted(accept) => {
            let body = aggregated::list(registry, path.as_slice() == ["api"]);
            return Ok(Answer::of(200, aggregated::CONTENT_TYPE, Body::from(body.to_string())));
        }
        ["api"] => Some(legacy::core()),
        ["apis"] => Some(legacy::groups(registry)),
        ["api", version] => legacy::resources(registry, "", version),
        ["apis", group] => legacy::group(registry, group),
        ["apis", group, version] => legacy::resources(registry, group, version),
        ["openapi", "v2"] => return openapi::v2(accept),
        ["openapi", "v3"] => Some(openapi::index(registry)),
        ["openapi", "v3", "api", version] => openapi::v3(registry, "", version),
        ["openapi", "v3", "apis", group, version] => openapi::v3(registry, group, version),
        _ => None,
    };
    found
        .map(|body| Answer::json(200, &body))
        .ok_or_else(ApiError::no_such_path)
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": "v1.36.2+multinic-lab", "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    })
}

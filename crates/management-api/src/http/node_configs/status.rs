//! What agents say about their nodes.

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};
use multinic_model::multinic_node_config::MultiNicNodeConfigStatus;

use crate::{
    http::{
        App, Fault, Problem,
        auth::{Report, Scope},
        openapi::Problems,
    },
    object::Object,
};

/// The longest report, in bytes.
const MAX: usize = 256 * 1024;

/// Report a node's status.
///
/// The body is the status of a MultiNicNodeConfig; `state` is required, and `observedGeneration` is the revision that the report
/// speaks of. What was said before writes nothing.
#[utoipa::path(put, path = "/v1/k8s/multinic/node-configs/{nodeName}/status", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("nodeName" = String, Path, description = "The node", max_length = 253, pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 204, description = "It is noted"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        Problems))]
pub(in crate::http) async fn report(
    State(app): State<App>,
    scope: Scope<Report>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let name = scope.node(&name?)?;
    let held = app.body(&headers, body, MAX).await?;
    let mut deserializer = serde_json::Deserializer::from_slice(&held.bytes);
    let parsed: Result<Object<MultiNicNodeConfigStatus>, _> = serde_path_to_error::deserialize(&mut deserializer);
    let Object(status) = parsed.map_err(|error| {
        let at = format!("/{}", error.path().to_string().replace('.', "/"));
        Problem::bad(Fault::new(at, error.inner().to_string()).allowed("the status of a MultiNicNodeConfig"))
    })?;
    deserializer
        .end()
        .map_err(|error| Problem::bad(Fault::new("body", error.to_string())))?;
    let Some(state) = status.state else {
        let fault = Fault::new("/state", "it is missing").allowed("Pending, InProgress, Configured or Failed");
        return Err(Problem::bad(fault));
    };
    if status.observed_generation.is_some_and(i64::is_negative) {
        let fault = Fault::new("/observedGeneration", "it is negative").allowed("a revision of the node");
        return Err(Problem::bad(fault));
    }
    app.store.admit(&scope.cluster).await?;
    app.store
        .report(&scope.cluster, &name, state, &status, &scope.caller.name)
        .await?;
    app.undelivered.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

//! What agents say about their nodes.

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};

use crate::http::{
    App, Problem,
    auth::{Report, Scope},
    openapi::Problems,
    report::{self, StatusJson},
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
    request_body(content = StatusJson, content_type = "application/json"),
    responses((status = 204, description = "It is noted"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        Problems))]
pub(in crate::http) async fn put_status(
    State(app): State<App>,
    scope: Scope<Report>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let name = scope.node(&name?)?;
    let held = app.body(&headers, body, MAX).await?;
    let (state, status) = report::parse(&held.bytes)?;
    drop(held);
    app.store.admit(&scope.cluster).await?;
    app.store
        .report(&scope.cluster, &name, state, &status, &scope.caller.name)
        .await?;
    app.undelivered.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

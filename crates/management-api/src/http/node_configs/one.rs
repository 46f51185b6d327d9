//! Reading and taking out single nodes.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use multinic_model::InstanceId;

use crate::{
    http::{
        App, Fault, Problem,
        auth::{ReadNode, Scope, Write},
        cursor,
        json::{NodeJson, NodesJson},
        openapi::Problems,
    },
    store::{content::digest, nodes::Filter},
};

/// Read one node.
///
/// The answer carries an `ETag` over all of it, the delivery's and the agent's state included.
#[utoipa::path(get, path = "/v1/k8s/multinic/node-configs/{nodeName}", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("nodeName" = String, Path, description = "The node", max_length = 253, pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
        ("If-None-Match" = Option<String>, Header, description = "ETags that are known already")),
    responses((status = 200, description = "The node", body = NodeJson,
            headers(("ETag" = String, description = "Changes with the answer"))),
        (status = 304, description = "It is as it was"), Problems))]
pub(in crate::http) async fn one(
    State(app): State<App>,
    scope: Scope<ReadNode>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = scope.node(&name?)?;
    app.store.admit(&scope.cluster).await?;
    let node = app.store.node(&scope.cluster, &name).await?;
    let node = node.ok_or_else(|| Problem::not_found(format!("the cluster {} has no node {name}", scope.cluster)))?;
    let body = serde_json::to_string(&NodeJson::from(node)).unwrap_or_default();
    let tag = format!("\"{}\"", digest(body.as_bytes()).get(..32).unwrap_or_default());
    let value = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, value)]).into_response());
    }
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json), (header::ETAG, value)], body).into_response())
}

/// RFC 9110, 13.1.2: a weak tag is as good as a strong one here.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Take a node out.
///
/// Its history stays; its object is taken out of the cluster.
#[utoipa::path(delete, path = "/v1/k8s/multinic/node-configs/{nodeName}", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("nodeName" = String, Path, description = "The node", max_length = 253, pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")),
    responses((status = 204, description = "It is out"), Problems))]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    scope: Scope<Write>,
    name: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let name = scope.node(&name?)?;
    app.store.remove(&scope.cluster, &name, &scope.caller.name).await?;
    app.changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Read the nodes of one server: one, or several while a renamed node is being withdrawn.
#[utoipa::path(get, path = "/v1/k8s/multinic/node-configs/by-instance/{instanceId}", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("instanceId" = String, Path, description = "The server", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$")),
    responses((status = 200, description = "The nodes", body = NodesJson), Problems))]
pub(in crate::http) async fn by_instance(
    State(app): State<App>,
    scope: Scope<ReadNode>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<NodesJson>, Problem> {
    let Path(id) = id?;
    let parsed = id.parse::<InstanceId>();
    let instance = parsed.map_err(|error| Problem::bad(Fault::new("instanceId", error.to_string()).found(&id)))?;
    app.store.admit(&scope.cluster).await?;
    let filter = Filter {
        instance_id: Some(instance),
        ..Filter::default()
    };
    let mut found = app.store.nodes(&scope.cluster, &filter, None, cursor::MAX).await?;
    found.retain(|node| scope.caller.nodes.includes(&node.config.node_name));
    if found.is_empty() {
        return Err(Problem::not_found(format!(
            "the cluster {} has no node of the server {id}",
            scope.cluster
        )));
    }
    Ok(Json(NodesJson {
        items: found.into_iter().map(NodeJson::from).collect(),
        next_cursor: None,
    }))
}

//! The history of one node.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::{
    App, Problem,
    auth::{Read, Scope},
    cursor,
    json::{ChangeJson, ChangesJson},
    openapi::Problems,
};

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many at most; 500 by default, never more than 1000.
    #[param(value_type = Option<u32>, minimum = 1)]
    pub(in crate::http) limit: Option<String>,
    /// Where the page begins: the `nextCursor` of the page before.
    pub(in crate::http) cursor: Option<String>,
}

/// Read what a node was to have when, and who wanted it.
///
/// Also of a node that was taken out, until its history is forgotten.
#[utoipa::path(get, path = "/v1/k8s/multinic/node-configs/{nodeName}/revisions", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("nodeName" = String, Path, description = "The node", max_length = 253, pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"), Page),
    responses((status = 200, description = "The newest first", body = ChangesJson), Problems))]
pub(in crate::http) async fn revisions(
    State(app): State<App>,
    scope: Scope<Read>,
    name: Result<Path<String>, PathRejection>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<ChangesJson>, Problem> {
    let name = scope.node(&name?)?;
    let Query(page) = page?;
    let limit = cursor::limit(page.limit.as_deref())?;
    let before = cursor::read(page.cursor.as_deref())?;
    app.store.admit(&scope.cluster).await?;
    let mut items = app.store.revisions(&scope.cluster, &name, before, limit + 1).await?;
    if items.is_empty() && before.is_none() {
        return Err(Problem::not_found(format!(
            "the cluster {} knows nothing of a node {name}",
            scope.cluster
        )));
    }
    let next_cursor = cursor::page(&mut items, limit, |change| change.revision.to_string());
    let items = items.into_iter().map(ChangeJson::from).collect();
    Ok(Json(ChangesJson { items, next_cursor }))
}

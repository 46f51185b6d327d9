//! `/v1/k8s/multinic/providers`: the clusters.

use axum::{
    Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
};
use multinic_model::ClusterId;

use super::{
    App, Fault, Problem,
    auth::{Authenticated, Caller, Role},
    cursor,
    json::{ProviderJson, ProvidersJson},
    node_configs::revisions::Page,
    openapi::Problems,
    parse::typed,
};
use crate::store::providers::ProviderSettings;

/// The longest settings, in bytes.
const MAX: usize = 64 * 1024;

/// The longest name for people, in characters.
const MAX_NAME: usize = 256;

/// List the clusters that the caller is allowed for.
#[utoipa::path(get, path = "/v1/k8s/multinic/providers", tag = "providers", params(Page),
    responses((status = 200, description = "A page of clusters", body = ProvidersJson), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    who: Authenticated,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<ProvidersJson>, Problem> {
    let caller = reader(who)?;
    let Query(page) = page?;
    let limit = cursor::limit(page.limit.as_deref())?;
    let after = cursor::read(page.cursor.as_deref())?;
    let mut items = app.store.providers(after.as_ref(), limit + 1).await?;
    let next_cursor = cursor::page(&mut items, limit, |provider| provider.id.to_string());
    items.retain(|provider| caller.providers.includes(&provider.id));
    let items = items.into_iter().map(ProviderJson::from).collect();
    Ok(Json(ProvidersJson { items, next_cursor }))
}

/// Read one cluster.
#[utoipa::path(get, path = "/v1/k8s/multinic/providers/{id}", tag = "providers",
    params(("id" = String, Path, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$")),
    responses((status = 200, description = "The cluster", body = ProviderJson), Problems))]
pub(super) async fn one(
    State(app): State<App>,
    who: Authenticated,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ProviderJson>, Problem> {
    let id = allowed(&reader(who)?, &id?)?;
    read(&app, &id).await
}

/// Register a cluster, or change what is set for it.
#[utoipa::path(put, path = "/v1/k8s/multinic/providers/{id}", tag = "providers",
    params(("id" = String, Path, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$")),
    request_body(content = ProviderSettings, content_type = "application/json"),
    responses((status = 200, description = "The cluster as it is now", body = ProviderJson),
        (status = 201, description = "It is new", body = ProviderJson),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        Problems))]
pub(super) async fn set(
    State(app): State<App>,
    who: Authenticated,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ProviderJson>), Problem> {
    let id = allowed(&writer(who)?, &id?)?;
    let held = app.body(&headers, body, MAX).await?;
    let settings = settings(&held.bytes)?;
    drop(held);
    let is_new = app.store.set_provider(&id, &settings).await?;
    app.changed();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, read(&app, &id).await?))
}

/// Forget a cluster and its history. Its nodes have to be taken out before.
#[utoipa::path(delete, path = "/v1/k8s/multinic/providers/{id}", tag = "providers",
    params(("id" = String, Path, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$")),
    responses((status = 204, description = "It is forgotten"),
        (status = 409, description = "It still has nodes", body = Problem, content_type = "application/problem+json"),
        Problems))]
pub(super) async fn remove(
    State(app): State<App>,
    who: Authenticated,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let id = allowed(&writer(who)?, &id?)?;
    if app.store.delete_provider(&id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(unknown(&id))
    }
}

async fn read(app: &App, id: &ClusterId) -> Result<Json<ProviderJson>, Problem> {
    let provider = app.store.provider(id).await?;
    provider
        .map(|provider| Json(provider.into()))
        .ok_or_else(|| unknown(id))
}

fn unknown(id: &ClusterId) -> Problem {
    Problem::not_found(format!("no provider {id} is registered"))
}

fn reader(Authenticated { caller, .. }: Authenticated) -> Result<Caller, Problem> {
    match caller.role {
        Role::Operator | Role::Viewer => Ok(caller),
        Role::Agent => Err(Problem::forbidden("an agent has nothing to do with providers")),
    }
}

fn writer(Authenticated { caller, .. }: Authenticated) -> Result<Caller, Problem> {
    match caller.role {
        Role::Operator => Ok(caller),
        Role::Viewer | Role::Agent => Err(Problem::forbidden(format!(
            "{:?} may not change providers",
            caller.name
        ))),
    }
}

fn allowed(caller: &Caller, id: &str) -> Result<ClusterId, Problem> {
    let parsed = id.parse::<ClusterId>();
    let id = parsed.map_err(|error| Problem::bad(Fault::new("id", error.to_string()).found(id)))?;
    caller.check_provider(&id).map(|()| id)
}

/// What each key takes, for people.
fn expected(key: &str) -> Option<&'static str> {
    Some(match key {
        "displayName" => "at most 256 printable characters",
        "delivery" => "target, emptyNodes, emptyRetentionHours and crd, each of which may be left out",
        "target" => "kind, and name with the kind kubeconfig",
        "emptyRetentionHours" => "0 to 8760",
        _ => return None,
    })
}

fn settings(body: &[u8]) -> Result<ProviderSettings, Problem> {
    let settings: ProviderSettings = typed(body, expected)?;
    if settings.display_name.chars().count() > MAX_NAME || settings.display_name.chars().any(char::is_control) {
        let fault = Fault::new("/displayName", "it is too long or not printable");
        return Err(Problem::bad(
            fault
                .found(&settings.display_name)
                .allowed("at most 256 printable characters"),
        ));
    }
    Ok(settings)
}

//! Reading many: a page of those that match, or a watch.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::{
    IntoParams,
    openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, SchemaFormat, Type},
};

use crate::{
    http::{
        App, Fault, Problem,
        auth::{ReadNode, Role, Scope},
        cursor,
        json::{NodeJson, NodesJson},
        node_configs::watch,
        openapi::Problems,
    },
    store::nodes::Filter,
};

/// Which nodes; everything that is given has to hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// This one.
    #[param(
        max_length = 253,
        pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
    )]
    node_name: Option<String>,
    /// Those of this server.
    #[param(pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$")]
    instance_id: Option<String>,
    /// The one with this MAC address, in any usual notation.
    #[param(pattern = r"^(?!(00[:-]){5}00$)[0-9A-Fa-f][02468ACEace]((:[0-9A-Fa-f]{2}){5}|(-[0-9A-Fa-f]{2}){5})$")]
    mac_address: Option<String>,
    /// The one with this address.
    #[param(schema_with = ip_address)]
    address: Option<String>,
    /// Those whose content changed at that time (RFC 3339) or later.
    #[param(format = DateTime)]
    updated_since: Option<String>,
    /// How many at most; 500 by default, never more than 1000.
    #[param(value_type = Option<u32>, minimum = 1)]
    limit: Option<String>,
    /// Where the page begins: the `nextCursor` of the page before.
    cursor: Option<String>,
    /// `true`: a stream of changes instead of a page; of the filters only `nodeName` is taken.
    #[param(value_type = Option<bool>)]
    watch: Option<String>,
}

fn ip_address() -> Schema {
    let text = |format| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(format)))
    };
    AnyOfBuilder::new()
        .description(Some("The one with this IPv4 or IPv6 address."))
        .item(text("ipv4".to_owned()))
        .item(text("ipv6".to_owned()))
        .build()
        .into()
}

/// List or watch the nodes of a cluster.
///
/// Agents have to name a node that they are allowed for. With `watch=true` the answer is a stream of server-sent events: first a
/// `node` for each node and a `synced`, then a `created`, `updated` or `deleted` for each change. With `Last-Event-ID` only
/// the changes behind it are sent; 410 says that they are forgotten, begin again without it.
#[utoipa::path(get, path = "/v1/k8s/multinic/node-configs", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("Last-Event-ID" = Option<String>, Header, description = "For a watch: the last event that was seen"), Wanted),
    responses((status = 200, description = "A page, or events",
            content((NodesJson = "application/json"), (String = "text/event-stream"))),
        (status = 410, description = "The changes asked for are forgotten", body = Problem,
            content_type = "application/problem+json"),
        Problems))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    scope: Scope<ReadNode>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted?;
    let filter = wanted.filter(&scope)?;
    app.store.admit(&scope.cluster).await?;
    match wanted.watch.as_deref() {
        Some("true") => return watch::watch(&app, &scope, filter.node_name, &headers).await,
        None | Some("false") => {}
        Some(other) => {
            let fault = Fault::new("watch", "neither").found(other).allowed("true or false");
            return Err(Problem::bad(fault));
        }
    }
    let limit = cursor::limit(wanted.limit.as_deref())?;
    let after = cursor::read(wanted.cursor.as_deref())?;
    let mut items = app
        .store
        .nodes(&scope.cluster, &filter, after.as_ref(), limit + 1)
        .await?;
    let next_cursor = cursor::page(&mut items, limit, |node| node.config.node_name.to_string());
    let items = items.into_iter().map(NodeJson::from).collect();
    Ok(Json(NodesJson { items, next_cursor }).into_response())
}

impl Wanted {
    fn filter(&self, scope: &Scope<ReadNode>) -> Result<Filter, Problem> {
        let node_name = self.node_name.as_deref().map(|name| scope.node(name)).transpose()?;
        if scope.caller.role == Role::Agent && node_name.is_none() {
            return Err(Problem::forbidden("an agent has to name its node with nodeName"));
        }
        Ok(Filter {
            node_name,
            instance_id: parse(
                "instanceId",
                self.instance_id.as_deref(),
                "1 to 128 visible ASCII characters without '/'",
            )?,
            mac_address: parse(
                "macAddress",
                self.mac_address.as_deref(),
                "a MAC address such as 00:1a:2b:3c:4d:5e",
            )?,
            address: parse("address", self.address.as_deref(), "an IPv4 or IPv6 address")?,
            updated_since: parse(
                "updatedSince",
                self.updated_since.as_deref(),
                "a time such as 2026-01-08T00:00:00Z",
            )?,
        })
    }
}

fn parse<T: std::str::FromStr>(
    at: &'static str,
    text: Option<&str>,
    allowed: &'static str,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let fault = || Fault::new(at, "this cannot be read").found(text).allowed(allowed);
    text.parse().map(Some).map_err(|_| Problem::bad(fault()))
}

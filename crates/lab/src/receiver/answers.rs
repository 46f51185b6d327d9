//! What the receiver answers: contract 3.3, or next to nothing.

use multinic_model::NodeConfig;
use serde_json::{Value, json};

use super::{
    Mode, PATH, Post,
    store::{Change, Store},
};
use crate::net::{Reply, Request};

/// Answers one request.
pub(super) fn answer(store: &mut Store, mode: Mode, request: &Request) -> Reply {
    let path = request.path();
    if request.method == "POST" && path == PATH {
        store.posts.push(post(request));
    }
    if store
        .token
        .as_deref()
        .is_some_and(|token| request.bearer() != Some(token))
    {
        return refuse(401, "the bearer token is missing or wrong").header("WWW-Authenticate", "Bearer");
    }
    let node = path.strip_prefix(PATH).map(|rest| rest.trim_start_matches('/'));
    let cluster = request.header("x-provider-id").unwrap_or_default().to_owned();
    match (node, request.method.as_str(), mode) {
        (None, _, _) => refuse(404, "no such path"),
        (Some(_), _, _) if cluster.is_empty() => refuse(400, "the header x-provider-id is missing"),
        (Some(""), "POST", Mode::Full) => take(store, &cluster, request),
        (Some(""), "POST", Mode::Plain { post, .. }) => {
            // It keeps what it understands, so that a test can look at the outcome.
            take(store, &cluster, request);
            Reply::empty(post)
        }
        (Some(_), _, Mode::Plain { other, .. }) => Reply::empty(other),
        (Some(""), "GET", Mode::Full) => list(store, &cluster, request),
        (Some(node), "DELETE", Mode::Full) if store.delete(&cluster, node) => Reply::empty(204),
        (Some(node), "DELETE", Mode::Full) => refuse(404, &format!("no node config {node:?}")),
        (Some(_), _, Mode::Full) => refuse(405, "method not allowed"),
    }
}

fn post(request: &Request) -> Post {
    Post {
        cluster: request.header("x-provider-id").unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        headers: request
            .headers
            .iter()
            .filter(|(name, _)| name != "authorization")
            .cloned()
            .collect(),
    }
}

fn refuse(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"error": message}))
}

fn take(store: &mut Store, cluster: &str, request: &Request) -> Reply {
    let Ok(Value::Array(nodes)) = serde_json::from_slice(&request.body) else {
        return refuse(400, "the body is not a JSON list");
    };
    let results: Vec<_> = nodes.into_iter().map(|node| take_node(store, cluster, node)).collect();
    let rejected = results.iter().filter(|result| result["status"] == "rejected").count();
    let status = match rejected {
        0 => 200,
        all if all == results.len() => 422,
        _ => 207,
    };
    Reply::json(status, &json!({"results": results}))
}

fn take_node(store: &mut Store, cluster: &str, node: Value) -> Value {
    let name = node["nodeName"].clone();
    let parsed = serde_json::from_value::<NodeConfig>(node).map_err(|error| error.to_string());
    let config = parsed.and_then(|config| match store.rejected.get(config.node_name.as_str()) {
        Some(reason) => Err(reason.clone()),
        None => Ok(config),
    });
    match config {
        Ok(config) => {
            let (change, revision) = store.put(cluster, config);
            let status = match change {
                Change::Created => "created",
                Change::Updated => "updated",
                Change::Unchanged => "unchanged",
            };
            json!({"nodeName": name, "status": status, "revision": revision, "error": null})
        }
        Err(error) => json!({"nodeName": name, "status": "rejected", "revision": null, "error": error}),
    }
}

fn list(store: &Store, cluster: &str, request: &Request) -> Reply {
    let query = request.query();
    let value = |wanted: &str| {
        query
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value.as_str())
    };
    let limit = match value("limit").map(str::parse::<usize>) {
        None => store.page_max,
        Some(Ok(limit)) if limit > 0 => limit.min(store.page_max),
        Some(_) => return refuse(400, "limit is not a positive number"),
    };
    let (items, next) = store.page(cluster, limit, value("cursor").filter(|cursor| !cursor.is_empty()));
    Reply::json(200, &json!({"items": items, "nextCursor": next}))
}

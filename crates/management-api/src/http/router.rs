//! The route table, and what happens around every request: time limit, numbers, problems instead of empty answers.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{App, Problem, docs, node_configs, openapi::Frame, probes, providers};
use crate::metrics::{RequestLabels, RouteLabels};

/// Every route, with its part of the contract.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Frame::openapi())
        .routes(routes!(node_configs::list::list, node_configs::post::post))
        .routes(routes!(node_configs::one::one, node_configs::one::remove))
        .routes(routes!(node_configs::one::by_instance))
        .routes(routes!(node_configs::revisions::revisions))
        .routes(routes!(node_configs::status::put_status))
        .routes(routes!(providers::list))
        .routes(routes!(providers::one, providers::set, providers::remove))
        .routes(routes!(probes::healthz))
        .routes(routes!(probes::readyz))
        .routes(routes!(probes::metrics))
        .routes(routes!(probes::document))
        .route("/docs", get(docs::page))
        .route("/docs/page.js", get(docs::script))
        .route("/docs/style.css", get(docs::style))
}

/// The server's inside.
pub fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(async || Problem::not_found("no such path"))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

async fn method_not_allowed() -> Problem {
    let title = "The path does not take this method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title, title)
}

async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let limit = app.limits.request_time;
    let response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::busy("the request took too long", 5).into_response(),
    };
    let labels = RouteLabels { route: route.clone() };
    app.metrics
        .seconds
        .get_or_create(&labels)
        .observe(begun.elapsed().as_secs_f64());
    let status = response.status().as_u16().into();
    app.metrics
        .requests
        .get_or_create(&RequestLabels { method, route, status })
        .inc();
    response
}

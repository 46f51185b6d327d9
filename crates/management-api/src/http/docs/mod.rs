//! `/docs`: the contract for people, rendered in the browser from `/openapi.json` by a page of our own.
//!
//! All of it is in the binary and nothing is loaded from elsewhere, so that the Content-Security-Policy can forbid
//! everything but this server's own files (`docs/adr/0014-the-edge-of-the-management-api.md`).

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// The page.
pub(super) async fn page() -> Response {
    file("text/html; charset=utf-8", include_str!("page.html"))
}

/// What renders the contract.
pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("page.js"))
}

/// How it looks.
pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("style.css"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], HEADERS, text).into_response()
}

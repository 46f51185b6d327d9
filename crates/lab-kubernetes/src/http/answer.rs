//! Answers before they are HTTP.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use crate::status::ApiError;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: Body,
    pub warnings: Vec<String>,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", Body::from(body.to_string()))
    }

    pub fn of(status: u16, content_type: &str, body: Body) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            body,
            warnings: Vec::new(),
        }
    }

    pub fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// The success of a deletion after which nothing is left to show.
    pub fn success(details: &Value) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
        });
        Self::json(200, &body)
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&self.content_type) {
            headers.insert(header::CONTENT_TYPE, value);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        for warning in &self.warnings {
            let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
                headers.append(header::WARNING, value);
            }
        }
        response
    }
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        Self::json(error.code, &error.body()).with_warnings(error.warnings)
    }
}

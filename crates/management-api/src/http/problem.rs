//! Errors as RFC 9457 problem details. What the database says goes to the log, never to the caller.

use axum::{
    extract::rejection::{PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:multinic:problem:` and a name that does not change.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence.
    pub detail: String,
    /// Which parts of the request are at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u32>,
}

/// One part of a request that is at fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Where, as a JSON pointer into the body (`/3/interfaces/0/mtu`), or the name of a header or parameter.
    pub at: String,
    /// What was found there, cut to 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is allowed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// What is wrong.
    pub detail: String,
    /// The other place, if two contradict each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

impl Fault {
    /// Something wrong at a place.
    pub fn new(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            at: printable(&at.into()),
            found: None,
            allowed: None,
            detail: printable(&detail.into()),
            other: None,
        }
    }

    /// With what was found.
    #[must_use]
    pub fn found(mut self, found: &str) -> Self {
        self.found = Some(found.chars().filter(|c| !c.is_control()).take(64).collect());
        self
    }

    /// With what is allowed.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// With the other place.
    #[must_use]
    pub fn other(mut self, other: impl Into<String>) -> Self {
        self.other = Some(other.into());
        self
    }

    /// On one line.
    pub fn line(&self) -> String {
        let found = self.found.as_ref().map(|found| format!(", found {found}"));
        let allowed = self.allowed.as_ref().map(|allowed| format!(", allowed: {allowed}"));
        let other = self.other.as_ref().map(|other| format!(" (see {other})"));
        let [found, allowed, other] = [found, allowed, other].map(Option::unwrap_or_default);
        format!("{}: {}{found}{allowed}{other}", self.at, self.detail)
    }
}

/// What may hold a caller's bytes, bounded and on one line.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(400).collect()
}

impl Problem {
    /// A problem with a status, a lasting name and a title.
    pub fn new(status: StatusCode, name: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:multinic:problem:{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// 400 because of one part of the request.
    pub fn bad(fault: Fault) -> Self {
        let title = "The request is not the contract";
        Self::new(StatusCode::BAD_REQUEST, "bad-request", title, fault.line()).with(fault)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "The token does not allow this",
            detail,
        )
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// 503; worth another try after that many seconds.
    pub fn busy(detail: impl Into<String>, seconds: u32) -> Self {
        let title = "The server cannot do this now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail).retry_after(seconds)
    }

    /// Names a part of the request.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.errors.push(fault);
        self
    }

    /// Says when another try is worth it.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::UnknownProvider(_) => Self::new(
                StatusCode::FORBIDDEN,
                "unknown-provider",
                "The cluster is not registered",
                error.to_string(),
            ),
            StoreError::ProviderInUse { .. } => Self::new(
                StatusCode::CONFLICT,
                "provider-in-use",
                "The cluster still has nodes",
                error.to_string(),
            ),
            StoreError::UnknownNode { .. } => Self::not_found(error.to_string()),
            StoreError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                error.to_string(),
            ),
            StoreError::Unavailable(_) | StoreError::Busy(_) | StoreError::Schema { .. } => {
                report(&error);
                Self::busy("the database is not available; nothing is known to have changed", 2)
            }
            StoreError::Full(_) => {
                report(&error);
                let detail = "no space is left for the database; nothing was changed";
                let title = "The disk is full";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", title, detail).retry_after(30)
            }
            StoreError::Address { .. }
            | StoreError::Statement(_)
            | StoreError::Migrate(_)
            | StoreError::NoBackup
            | StoreError::BackupPath { .. }
            | StoreError::Damaged { .. } => {
                report(&error);
                let title = "The server failed";
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    title,
                    "see the server's log",
                )
            }
        }
    }
}

fn report(error: &StoreError) {
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(category = error.category(), source, "{error}");
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(Fault::new("query", rejection.body_text()))
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad(Fault::new("path", rejection.body_text()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

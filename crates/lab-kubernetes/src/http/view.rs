//! How an answer shall look: the object itself, a table of it, or its metadata alone.

use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::{
    kinds::{Form, Kind},
    object::meta_text,
    operations::Listed,
    status::ApiError,
    table,
};

/// What the client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Object,
    /// A `Table`, whose rows carry what `includeObject` asks for.
    Table(table::Include),
    Metadata,
}

impl View {
    /// The first form that the client accepts and this server has.
    pub fn negotiate(headers: &HeaderMap, include: &str) -> Result<Self, ApiError> {
        let values: Vec<&str> = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let accept = values.join(",");
        if accept.trim().is_empty() {
            return Ok(Self::Object);
        }
        let found = accept.split(',').find_map(|range| Self::of_range(range, include));
        found.ok_or_else(|| ApiError::not_acceptable("application/json"))
    }

    fn of_range(range: &str, include: &str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
            return None;
        }
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let value = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        match (value("as"), value("g"), value("v")) {
            (None, ..) => Some(Self::Object),
            (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Some(Self::Table(table::Include::parse(include))),
            (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
                Some(Self::Metadata)
            }
            _ => None,
        }
    }

    pub fn object(self, kind: &Kind, object: &Value) -> Value {
        match self {
            Self::Object => object.clone(),
            Self::Metadata => table::partial(object),
            Self::Table(include) => table::table(kind, [object], include, meta_text(object, "resourceVersion")),
        }
    }

    pub fn list(self, kind: &Kind, listed: &Listed) -> Value {
        let objects = listed.objects.iter().map(AsRef::as_ref);
        let mut list = match (self, &kind.form) {
            (Self::Table(include), _) => table::table(kind, objects, include, &listed.revision.to_string()),
            (Self::Metadata, _) => json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {},
                "items": objects.map(table::partial).collect::<Vec<_>>(),
            }),
            (Self::Object, Form::Custom(_)) => list_of(kind, &objects.cloned().collect::<Vec<_>>()),
            (Self::Object, Form::Builtin(_)) => list_of(kind, &objects.map(headless).collect::<Vec<_>>()),
        };
        list["metadata"]["resourceVersion"] = json!(listed.revision.to_string());
        let always = matches!((self, &kind.form), (Self::Object, Form::Custom(_)));
        if always || !listed.token.is_empty() {
            list["metadata"]["continue"] = json!(listed.token);
        }
        if let Some(remaining) = listed.remaining {
            list["metadata"]["remainingItemCount"] = json!(remaining);
        }
        list
    }
}

fn list_of(kind: &Kind, items: &[Value]) -> Value {
    json!({"kind": kind.list_kind, "apiVersion": kind.api_version(), "metadata": {}, "items": items})
}

/// Items of lists of built-in kinds do not say what they are.
fn headless(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(key, _)| !["apiVersion", "kind"].contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

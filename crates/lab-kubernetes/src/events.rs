//! Events: one store, two kinds that show it (`v1` and `events.k8s.io/v1`).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{kinds::Kind, object, status::FieldError};

/// What a field is called in `v1` and in `events.k8s.io/v1`.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// The object as a kind shows it; everything but events is stored as it is shown.
pub(crate) fn view(kind: &Kind, object: &Arc<Value>) -> Arc<Value> {
    if kind.table != "events" || object["apiVersion"] == kind.api_version() {
        return object.clone();
    }
    let names = |(core, new): (&'static str, &'static str)| {
        if kind.group.is_empty() {
            (new, core)
        } else {
            (core, new)
        }
    };
    let rename = |key: &String| {
        let renamed = NAMES
            .into_iter()
            .map(names)
            .find(|(from, _)| from == key)
            .map(|(_, to)| to.to_owned());
        renamed.unwrap_or_else(|| key.clone())
    };
    let fields = object.as_object().into_iter().flatten();
    let mut shown: Map<String, Value> = fields.map(|(key, value)| (rename(key), value.clone())).collect();
    shown.insert("apiVersion".to_owned(), json!(kind.api_version()));
    Arc::new(fill(kind, Value::Object(shown)))
}

/// With the fields that an event always shows.
pub(crate) fn fill(kind: &Kind, mut event: Value) -> Value {
    let core = kind.group.is_empty();
    let of = |(in_core, in_new): (&'static str, &'static str)| if core { in_core } else { in_new };
    let always = [(2, json!({})), (3, Value::Null), (4, Value::Null)];
    let mut put = |name: &str, value: Value| {
        if let Some(event) = event.as_object_mut() {
            event.entry(name).or_insert(value);
        }
    };
    for (place, value) in always {
        put(of(NAMES[place]), value);
    }
    put("eventTime", Value::Null);
    if core {
        put("reportingComponent", json!(""));
        put("reportingInstance", json!(""));
    }
    event
}

/// What a real API server refuses about a new event.
pub(crate) fn validate(kind: &Kind, event: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let regarding = if kind.group.is_empty() {
        "involvedObject"
    } else {
        "regarding"
    };
    let namespace = object::text(event, &[regarding, "namespace"]).unwrap_or("default");
    if namespace != object::meta_text(event, "namespace") {
        let detail = "does not match event.namespace";
        errors.push(FieldError::invalid(
            "involvedObject.namespace",
            &json!(namespace),
            detail,
        ));
    }
    if kind.group.is_empty() {
        return errors;
    }
    if event.get("eventTime").is_none_or(Value::is_null) {
        errors.push(FieldError::required("eventTime", ""));
    }
    for (key, max) in [
        ("reportingController", 253),
        ("reportingInstance", 128),
        ("action", 128),
        ("reason", 128),
    ] {
        match event[key].as_str().map_or(0, str::len) {
            0 => errors.push(FieldError::required(key, "")),
            length if length > max => {
                let message = format!("can have at most {max} characters");
                errors.push(FieldError::invalid(key, &event[key], &message));
            }
            _ => {}
        }
    }
    if event["note"].as_str().map_or(0, str::len) > 1024 {
        errors.push(FieldError::invalid(
            "message",
            &json!(""),
            "can have at most 1024 characters",
        ));
    }
    if !matches!(event["type"].as_str(), Some("Normal" | "Warning")) {
        errors.push(FieldError::invalid("type", &event["type"], "has invalid value: "));
    }
    errors
}

//! What single kinds do differently: values filled in before an object is stored, and rules of their own.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    definitions, events,
    kinds::Kind,
    object::{self, at},
    status::FieldError,
};

/// Fills in what the server adds to an object of its kind before anybody can own it.
pub(crate) fn prepare(kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "secrets") => prepare_secret(object),
        ("", "namespaces") => {
            let name = json!(object::meta_text(object, "name"));
            object::set(object, "metadata", |metadata| {
                let labels = metadata.entry("labels").or_insert_with(|| json!({}));
                labels["kubernetes.io/metadata.name"] = name;
            });
        }
        _ if kind.is_definition() => definitions::prepare(object),
        _ => {}
    }
}

/// Fills in what belongs to nobody.
pub(crate) fn finish(kind: &Kind, object: &mut Value) {
    if kind.is_namespace() {
        object::set(object, "spec", |spec| {
            spec.entry("finalizers").or_insert_with(|| json!(["kubernetes"]));
        });
        object::set(object, "status", |status| {
            status.entry("phase").or_insert_with(|| json!("Active"));
        });
    }
    if kind.table == "events" {
        *object = events::fill(kind, object.take());
    }
}

fn prepare_secret(secret: &mut Value) {
    if let Some(plain) = secret.as_object_mut().and_then(|secret| secret.remove("stringData")) {
        object::set(secret, "data", |data| {
            for (key, value) in plain.as_object().into_iter().flatten() {
                data.insert(key.clone(), json!(STANDARD.encode(value.as_str().unwrap_or_default())));
            }
        });
    }
    if let Some(secret) = secret.as_object_mut() {
        secret.entry("type").or_insert_with(|| json!("Opaque"));
    }
}

/// The rules of single kinds.
pub(crate) fn validate(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match (kind.group.as_str(), kind.plural.as_str()) {
        (_, "events") if old.is_none() => errors.extend(events::validate(kind, object)),
        ("coordination.k8s.io", "leases") => errors.extend(validate_lease(object)),
        ("", "configmaps" | "secrets") => errors.extend(validate_immutable(object, old)),
        _ => {}
    }
    let fixed: &[(&str, &[&str], &str)] = match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "secrets") => &[("type", &["type"], "field is immutable")],
        ("rbac.authorization.k8s.io", _) => &[("roleRef", &["roleRef"], "cannot change roleRef")],
        ("apps", "deployments") => &[("spec.selector", &["spec", "selector"], "field is immutable")],
        _ if kind.is_definition() => &[
            ("spec.group", &["spec", "group"], "field is immutable"),
            ("spec.scope", &["spec", "scope"], "field is immutable"),
        ],
        _ => &[],
    };
    for (field, path, detail) in fixed {
        if old.is_some_and(|old| at(old, path) != at(object, path)) {
            errors.push(FieldError::invalid(
                *field,
                at(object, path).unwrap_or(&Value::Null),
                detail,
            ));
        }
    }
    errors
}

fn validate_lease(lease: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let number = |key: &str| at(lease, &["spec", key]).and_then(Value::as_i64);
    if let Some(seconds) = number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        errors.push(FieldError::invalid(
            "spec.leaseDurationSeconds",
            &json!(seconds),
            "must be greater than 0",
        ));
    }
    if let Some(count) = number("leaseTransitions").filter(|count| *count < 0) {
        errors.push(FieldError::invalid(
            "spec.leaseTransitions",
            &json!(count),
            "must be greater than or equal to 0",
        ));
    }
    errors
}

fn validate_immutable(object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let Some(old) = old.filter(|old| old["immutable"] == true) else {
        return Vec::new();
    };
    let changed = ["immutable", "data", "binaryData"]
        .into_iter()
        .filter(|key| old.get(*key) != object.get(*key));
    changed
        .map(|key| FieldError::forbidden(key, "field is immutable when `immutable` is set"))
        .collect()
}

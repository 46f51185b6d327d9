//! Reading and writing the parts of an object that every kind has.

use serde_json::{Map, Value, json};

/// An object's text at a path of keys.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(object, path)?.as_str()
}

/// An object's value at a path of keys.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(*key))
}

pub(crate) fn meta<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    at(object, &["metadata", key])
}

pub(crate) fn meta_text<'a>(object: &'a Value, key: &str) -> &'a str {
    text(object, &["metadata", key]).unwrap_or_default()
}

/// The resourceVersion an object carries; 0 without one.
pub(crate) fn revision(object: &Value) -> u64 {
    meta_text(object, "resourceVersion").parse().unwrap_or_default()
}

/// Sets or removes (`Null`) a key of the metadata.
pub(crate) fn set_meta(object: &mut Value, key: &str, value: Value) {
    set(object, "metadata", |metadata| put(metadata, key, value));
}

/// Copies a key of the metadata from another object, absence included.
pub(crate) fn copy_meta(object: &mut Value, from: &Value, key: &str) {
    set_meta(object, key, meta(from, key).cloned().unwrap_or(Value::Null));
}

/// Copies a top-level key from another object, absence included.
pub(crate) fn copy(object: &mut Value, from: &Value, key: &str) {
    if let Some(map) = object.as_object_mut() {
        put(map, key, from.get(key).cloned().unwrap_or(Value::Null));
    }
}

/// Changes a map under a top-level key; makes it when it is missing.
pub(crate) fn set(object: &mut Value, key: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    let Some(map) = object.as_object_mut() else { return };
    let inner = map.entry(key).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Some(inner) = inner.as_object_mut() {
        change(inner);
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    if value.is_null() {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), value);
    }
}

pub(crate) fn labels(object: &Value) -> Option<&Map<String, Value>> {
    meta(object, "labels")?.as_object()
}

pub(crate) fn is_terminating(object: &Value) -> bool {
    meta(object, "deletionTimestamp").is_some()
}

pub(crate) fn has_finalizers(object: &Value) -> bool {
    meta(object, "finalizers")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}

/// Whether two objects differ in nothing but the times of their managed fields.
pub(crate) fn same_but_times(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return a == b;
    };
    a.len() == b.len()
        && a.iter().all(|(key, value)| match (key.as_str(), b.get(key)) {
            ("metadata", Some(other)) => same_metadata(value, other),
            (_, other) => other == Some(value),
        })
}

fn same_metadata(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return a == b;
    };
    a.len() == b.len()
        && a.iter().all(|(key, value)| match (key.as_str(), b.get(key)) {
            ("managedFields", Some(other)) => timeless(value) == timeless(other),
            (_, other) => other == Some(value),
        })
}

fn timeless(entries: &Value) -> Vec<Map<String, Value>> {
    let entries = entries.as_array().into_iter().flatten().filter_map(Value::as_object);
    entries
        .map(|entry| {
            entry
                .iter()
                .filter(|(k, _)| *k != "time")
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        })
        .collect()
}

/// Now, in whole seconds, as the API writes times.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

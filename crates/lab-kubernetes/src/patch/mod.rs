//! The three kinds of patches besides server-side apply.

mod json;
mod strategic;

use serde_json::Value;

pub(crate) use json::json_patch;
pub(crate) use strategic::strategic;

/// RFC 7396.
pub(crate) fn merge(object: &Value, patch: &Value) -> Value {
    let mut patched = object.clone();
    json_patch::merge(&mut patched, patch);
    patched
}

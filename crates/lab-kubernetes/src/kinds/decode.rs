//! Understanding what a client sent: types checked, unknown fields dropped and named.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Form, Kind};
use crate::{
    schema::{Schema, below},
    status::ApiError,
};

/// An object as its kind knows it, and the paths of the fields that the kind does not know.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub object: Value,
    pub unknown: Vec<String>,
}

/// Reads a value as its type and writes it again.
pub(super) fn canonical<T: DeserializeOwned + Serialize>(value: &Value) -> Result<Value, String> {
    let typed: T = T::deserialize(value).map_err(|error| error.to_string())?;
    serde_json::to_value(typed).map_err(|error| error.to_string())
}

/// The metadata of any object, read and written as its type.
pub(crate) fn canonical_metadata(metadata: &Value) -> Result<Value, String> {
    canonical::<ObjectMeta>(metadata)
}

impl Kind {
    /// Decodes an object that is to be stored.
    pub fn decode(&self, object: &Value) -> Result<Decoded, ApiError> {
        let refuse = |detail: String| {
            let (kind, version) = (&self.kind, &self.version);
            ApiError::bad_request(format!(
                "{kind} in version {version:?} cannot be handled as a {kind}: {detail}"
            ))
        };
        match &self.form {
            Form::Builtin(builtin) => {
                let known = (builtin.canonical)(object).map_err(refuse)?;
                let mut unknown = Vec::new();
                differences(object, &known, "", &mut unknown);
                Ok(Decoded { object: known, unknown })
            }
            Form::Custom(custom) => decode_custom(&custom.schema, object).map_err(refuse),
        }
    }
}

fn decode_custom(schema: &Schema, object: &Value) -> Result<Decoded, String> {
    let mut body = object.clone();
    let mut head = serde_json::Map::new();
    if let Some(map) = body.as_object_mut() {
        for key in ["apiVersion", "kind", "metadata"] {
            head.extend(map.remove(key).map(|value| (key.to_owned(), value)));
        }
    }
    let mut unknown = schema.prune(&mut body, "");
    if let Some(metadata) = head.get_mut("metadata") {
        let known = canonical_metadata(metadata)?;
        differences(metadata, &known, "metadata", &mut unknown);
        *metadata = known;
    }
    schema.fill_defaults(&mut body);
    if let Some(map) = body.as_object_mut() {
        map.extend(head);
    }
    Ok(Decoded { object: body, unknown })
}

/// The paths of what is in `sent` but not in `known`; nulls stand for nothing.
fn differences(sent: &Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (sent, known) {
        (Value::Object(sent), Value::Object(known)) => {
            for (key, value) in sent {
                let path = below(path, key);
                match known.get(key) {
                    Some(known) => differences(value, known, &path, unknown),
                    None if value.is_null() => {}
                    None => unknown.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(known)) => {
            for (index, (value, known)) in sent.iter().zip(known).enumerate() {
                differences(value, known, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

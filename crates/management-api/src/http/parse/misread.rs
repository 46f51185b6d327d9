//! From an error of the parser to a fault that names the place, what was found there and what is allowed.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::{
    http::{Fault, Problem},
    object::Object,
};

/// A text that is longer, in bytes, is not taken apart only to show what is wrong with it.
const MAX_SHOWN: usize = 65_536;

/// What each key takes, for people.
pub(in crate::http) type Allowed = fn(&str) -> Option<&'static str>;

/// Parses a body that is one object.
pub(in crate::http) fn typed<T: DeserializeOwned>(body: &[u8], allowed: Allowed) -> Result<T, Problem> {
    let text = std::str::from_utf8(body);
    let text = text.map_err(|_| Problem::bad(Fault::new("body", "the body is not UTF-8")))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed: Result<Object<T>, _> = serde_path_to_error::deserialize(&mut deserializer);
    let Object(parsed) = parsed.map_err(|error| Problem::bad(misread("", text, &error, allowed)))?;
    let end = deserializer.end();
    end.map_err(|error| Problem::bad(Fault::new("body", error.to_string())))?;
    Ok(parsed)
}

/// What is wrong with the value that stands at `root`, a JSON pointer.
pub(super) fn misread(
    root: &str,
    text: &str,
    error: &serde_path_to_error::Error<serde_json::Error>,
    allowed: Allowed,
) -> Fault {
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let mut keys: Vec<String> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    keys.extend(missing.map(ToOwned::to_owned));
    let found = found(text, &keys);
    let key = keys.last().map_or("", String::as_str);
    let mut fault = Fault::new(pointer(root, &keys), message.chars().take(300).collect::<String>());
    fault.allowed = allowed(key).map(ToOwned::to_owned);
    match found {
        Some(found) => fault.found(&found),
        None => fault,
    }
}

fn pointer(root: &str, keys: &[String]) -> String {
    let escape = |key: &String| {
        key.replace('~', "~0")
            .replace('/', "~1")
            .chars()
            .take(64)
            .collect::<String>()
    };
    let pointer = keys
        .iter()
        .fold(root.to_owned(), |pointer, key| format!("{pointer}/{}", escape(key)));
    if pointer.is_empty() { "body".to_owned() } else { pointer }
}

/// What stands at the place, unless it is an object or a list.
fn found(text: &str, keys: &[String]) -> Option<String> {
    if text.len() > MAX_SHOWN {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let found = keys.iter().try_fold(&value, |value, key| match value {
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        Value::Object(map) => map.get(key),
        _ => None,
    })?;
    (!found.is_object() && !found.is_array()).then(|| found.to_string())
}

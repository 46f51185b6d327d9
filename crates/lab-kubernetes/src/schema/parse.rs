//! From the JSON of a definition to a [`Schema`]; a keyword that is not implemented refuses the definition.

use regex::Regex;
use serde_json::{Map, Value};

use super::{Bound, JsonType, Limits, ListType, Schema};

/// Keywords that say nothing about which objects are valid, or that are read elsewhere (the rules of CEL).
const WITHOUT_EFFECT: [&str; 5] = [
    "description",
    "title",
    "example",
    "externalDocs",
    "x-kubernetes-validations",
];

/// Why a schema cannot be used, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{path}: {what}")]
pub(crate) struct SchemaError {
    pub path: String,
    pub what: String,
    /// The keyword exists in Kubernetes, but not here.
    pub unimplemented: bool,
}

/// Parses the schema of one version.
pub(crate) fn parse(value: &Value, path: &str) -> Result<Schema, SchemaError> {
    let Some(map) = value.as_object() else {
        return Err(error(path, "must be an object"));
    };
    let mut schema = Schema::default();
    for (key, value) in map {
        keyword(&mut schema, map, key, value, &format!("{path}.{key}"))?;
    }
    let typeless = schema.json_type.is_none() && !schema.int_or_string && !schema.preserve_unknown;
    if typeless {
        return Err(error(
            &format!("{path}.type"),
            "Required value: must not be empty for specified object fields",
        ));
    }
    Ok(schema)
}

fn keyword(
    schema: &mut Schema,
    map: &Map<String, Value>,
    key: &str,
    value: &Value,
    path: &str,
) -> Result<(), SchemaError> {
    match key {
        "type" => schema.json_type = Some(json_type(value, path)?),
        "nullable" => schema.nullable = value == true,
        "properties" => {
            for (name, value) in value.as_object().into_iter().flatten() {
                schema
                    .properties
                    .insert(name.clone(), parse(value, &format!("{path}[{name}]"))?);
            }
        }
        "additionalProperties" if value.is_object() => schema.additional = Some(Box::new(parse(value, path)?)),
        "additionalProperties" if value == false => {}
        "items" => schema.items = Some(Box::new(parse(value, path)?)),
        "required" => schema.required = texts(value),
        "default" => schema.default = Some(value.clone()),
        "x-kubernetes-list-type" => schema.list_type = list_type(map, value, path)?,
        "x-kubernetes-list-map-keys" => {}
        "x-kubernetes-map-type" => schema.atomic_map = value == "atomic",
        "x-kubernetes-preserve-unknown-fields" => schema.preserve_unknown = value == true,
        "x-kubernetes-int-or-string" => schema.int_or_string = value == true,
        "anyOf" if map.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) => {}
        _ if WITHOUT_EFFECT.contains(&key) => {}
        _ => limit(&mut schema.limits, map, key, value, path)?,
    }
    Ok(())
}

fn limit(
    limits: &mut Limits,
    map: &Map<String, Value>,
    key: &str,
    value: &Value,
    path: &str,
) -> Result<(), SchemaError> {
    let exclusive = |key: &str| map.get(key) == Some(&Value::Bool(true));
    let bound = |key: &str| {
        value.as_f64().map(|value| Bound {
            value,
            exclusive: exclusive(key),
        })
    };
    match key {
        "enum" => limits.one_of = value.as_array().cloned(),
        "minimum" => limits.minimum = bound("exclusiveMinimum"),
        "maximum" => limits.maximum = bound("exclusiveMaximum"),
        "exclusiveMinimum" | "exclusiveMaximum" => {}
        "multipleOf" => limits.multiple_of = value.as_f64(),
        "minLength" => limits.length.min = value.as_u64(),
        "maxLength" => limits.length.max = value.as_u64(),
        "minItems" => limits.items.min = value.as_u64(),
        "maxItems" => limits.items.max = value.as_u64(),
        "minProperties" => limits.properties.min = value.as_u64(),
        "maxProperties" => limits.properties.max = value.as_u64(),
        "pattern" => limits.pattern = Some(pattern(value, path)?),
        "format" => limits.format = value.as_str().map(str::to_owned),
        _ => {
            return Err(SchemaError {
                path: path.to_owned(),
                what: format!("the keyword {key:?} of schemas"),
                unimplemented: true,
            });
        }
    }
    Ok(())
}

fn pattern(value: &Value, path: &str) -> Result<Regex, SchemaError> {
    let pattern = value.as_str().unwrap_or_default();
    Regex::new(pattern).map_err(|_| error(path, "must be a valid regular expression"))
}

fn json_type(value: &Value, path: &str) -> Result<JsonType, SchemaError> {
    Ok(match value.as_str() {
        Some("object") => JsonType::Object,
        Some("array") => JsonType::Array,
        Some("string") => JsonType::String,
        Some("integer") => JsonType::Integer,
        Some("number") => JsonType::Number,
        Some("boolean") => JsonType::Boolean,
        _ => return Err(error(path, "must be object, array, string, integer, number or boolean")),
    })
}

fn list_type(map: &Map<String, Value>, value: &Value, path: &str) -> Result<ListType, SchemaError> {
    match value.as_str() {
        Some("atomic") => Ok(ListType::Atomic),
        Some("set") => Ok(ListType::Set),
        Some("map") => match map.get("x-kubernetes-list-map-keys").map(texts) {
            Some(keys) if !keys.is_empty() => Ok(ListType::Map(keys)),
            _ => Err(error(
                path,
                "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
            )),
        },
        _ => Err(error(path, "must be atomic, set or map")),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn error(path: &str, what: &str) -> SchemaError {
    SchemaError {
        path: path.to_owned(),
        what: what.to_owned(),
        unimplemented: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_keyword_that_is_not_implemented_refuses_the_schema() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "oneOf": []}}});
        let refused = parse(&schema, "s").unwrap_err();
        assert!(refused.unimplemented);
        assert_eq!(refused.path, "s.properties[a].oneOf");
    }

    #[test]
    fn a_schema_without_a_type_is_no_structural_schema() {
        assert!(!parse(&json!({"properties": {}}), "s").unwrap_err().unimplemented);
    }

    #[test]
    fn a_list_of_type_map_names_its_keys() {
        let list = |extra: Value| {
            let mut schema = json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"});
            schema
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            parse(&schema, "s")
        };
        assert!(list(json!({})).is_err());
        let keyed = list(json!({"x-kubernetes-list-map-keys": ["type"]})).unwrap();
        assert_eq!(keyed.list_type, ListType::Map(vec!["type".to_owned()]));
    }
}

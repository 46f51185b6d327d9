//! Dropping what a schema does not know.

use serde_json::Value;

use super::{Schema, below};

impl Schema {
    /// Removes unknown fields and returns their paths, sorted.
    pub fn prune(&self, value: &mut Value, path: &str) -> Vec<String> {
        let mut unknown = Vec::new();
        self.prune_into(value, path, &mut unknown);
        unknown.sort();
        unknown
    }

    fn prune_into(&self, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let keys: Vec<String> = map.keys().cloned().collect();
                for key in keys {
                    let path = below(path, &key);
                    match (self.field(&key), map.get_mut(&key)) {
                        (Some(schema), Some(value)) => schema.prune_into(value, &path, unknown),
                        _ if self.preserve_unknown => {}
                        _ => {
                            map.remove(&key);
                            unknown.push(path);
                        }
                    }
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter_mut().enumerate() {
                    if let Some(schema) = &self.items {
                        schema.prune_into(value, &format!("{path}[{index}]"), unknown);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;

    #[test]
    fn only_known_fields_stay_unless_the_schema_preserves_them() {
        let schema = json!({"type": "object", "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }});
        let mut value = json!({"list": [{"a": "1", "b": 2}], "map": {"x": "y"}, "any": {"z": {}}, "c": 3});
        let unknown = parse(&schema, "s").unwrap().prune(&mut value, "");
        assert_eq!(unknown, ["c", "list[0].b"]);
        assert_eq!(
            value,
            json!({"list": [{"a": "1"}], "map": {"x": "y"}, "any": {"z": {}}})
        );
    }
}

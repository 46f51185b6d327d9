//! Filling in defaults, and dropping nulls that a default stands for.

use serde_json::Value;

use super::Schema;

impl Schema {
    /// Fills in what is missing and has a default.
    pub fn fill_defaults(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, schema) in &self.properties {
                    let dropped =
                        map.get(name).is_some_and(Value::is_null) && !schema.nullable && schema.default.is_some();
                    if dropped {
                        map.remove(name);
                    }
                    if let Some(default) = &schema.default {
                        map.entry(name.clone()).or_insert_with(|| default.clone());
                    }
                }
                for (name, value) in map.iter_mut() {
                    if let Some(schema) = self.field(name) {
                        schema.fill_defaults(value);
                    }
                }
            }
            Value::Array(list) => {
                if let Some(schema) = &self.items {
                    for value in list {
                        schema.fill_defaults(value);
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
    fn defaults_fill_gaps_and_nulls_but_make_no_parents() {
        let schema = parse(
            &json!({"type": "object", "properties": {
                "a": {"type": "integer", "default": 1},
                "b": {"type": "object", "default": {}, "properties": {"c": {"type": "string", "default": "x"}}},
                "d": {"type": "object", "properties": {"e": {"type": "string", "default": "y"}}},
                "n": {"type": "string", "nullable": true, "default": "z"},
            }}),
            "s",
        )
        .unwrap();
        let mut value = json!({"a": null, "n": null});
        schema.fill_defaults(&mut value);
        assert_eq!(value, json!({"a": 1, "b": {"c": "x"}, "n": null}));
    }
}

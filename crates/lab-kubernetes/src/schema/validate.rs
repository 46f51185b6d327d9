//! Checking a value against a schema, with the messages of a real API server.

use serde_json::Value;

use super::{Bound, JsonType, Schema, below, formats::has_format};
use crate::status::FieldError;

impl Schema {
    /// Every way in which the value breaks the schema, without CEL.
    pub fn validate(&self, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
        if value.is_null() && self.nullable {
            return;
        }
        if !self.has_type(value) {
            errors.push(self.wrong_type(value, path));
            return;
        }
        self.check_enum(value, path, errors);
        match value {
            Value::Object(map) => self.check_object(map, path, errors),
            Value::Array(list) => self.check_list(list, path, errors),
            Value::String(text) => self.check_text(text, path, errors),
            Value::Number(number) => self.check_number(number.as_f64().unwrap_or_default(), path, errors),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn has_type(&self, value: &Value) -> bool {
        if self.int_or_string {
            return value.is_i64() || value.is_u64() || value.is_string();
        }
        match self.json_type {
            None => true,
            Some(JsonType::Object) => value.is_object(),
            Some(JsonType::Array) => value.is_array(),
            Some(JsonType::String) => value.is_string(),
            Some(JsonType::Integer) => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
            }
            Some(JsonType::Number) => value.is_number(),
            Some(JsonType::Boolean) => value.is_boolean(),
        }
    }

    fn wrong_type(&self, value: &Value, path: &str) -> FieldError {
        let wanted = self.json_type.map_or("integer or string", JsonType::word);
        let found = type_word(value);
        let message = format!("Invalid value: \"{found}\": {path} in body must be of type {wanted}: \"{found}\"");
        FieldError::new(path, "FieldValueTypeInvalid", message)
    }

    fn check_enum(&self, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
        let Some(allowed) = &self.limits.one_of else { return };
        if !allowed.contains(value) {
            let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
            let message = format!("Unsupported value: {value}: supported values: {}", allowed.join(", "));
            errors.push(FieldError::new(path, "FieldValueNotSupported", message));
        }
    }

    fn check_object(&self, map: &serde_json::Map<String, Value>, path: &str, errors: &mut Vec<FieldError>) {
        let missing = self.required.iter().filter(|name| !map.contains_key(*name));
        errors.extend(missing.map(|name| FieldError::required(below(path, name), "")));
        let count = map.len() as u64;
        if self.limits.properties.max.is_some_and(|max| count > max) {
            errors.push(too_many(path, count, self.limits.properties.max));
        }
        if let Some(min) = self.limits.properties.min.filter(|min| count < *min) {
            let detail = format!("{path} in body should have at least {min} properties");
            errors.push(FieldError::invalid(path, &Value::from(count), &detail));
        }
        for (name, value) in map {
            if let Some(schema) = self.field(name) {
                schema.validate(value, &below(path, name), errors);
            }
        }
    }

    fn check_list(&self, list: &[Value], path: &str, errors: &mut Vec<FieldError>) {
        let count = list.len() as u64;
        if self.limits.items.max.is_some_and(|max| count > max) {
            errors.push(too_many(path, count, self.limits.items.max));
        }
        if let Some(min) = self.limits.items.min.filter(|min| count < *min) {
            let detail = format!("{path} in body should have at least {min} items");
            errors.push(FieldError::invalid(path, &Value::from(count), &detail));
        }
        if let Some(schema) = &self.items {
            for (index, value) in list.iter().enumerate() {
                schema.validate(value, &format!("{path}[{index}]"), errors);
            }
        }
        self.list_type.duplicates(list, path, errors);
    }

    fn check_text(&self, text: &str, path: &str, errors: &mut Vec<FieldError>) {
        let limits = &self.limits;
        let value = Value::from(text);
        let length = text.chars().count() as u64;
        if let Some(max) = limits.length.max.filter(|max| length > *max) {
            let message = format!("Too long: may not be more than {max} bytes");
            errors.push(FieldError::new(path, "FieldValueTooLong", message));
        }
        if let Some(min) = limits.length.min.filter(|min| length < *min) {
            let detail = format!("{path} in body should be at least {min} chars long");
            errors.push(FieldError::invalid(path, &value, &detail));
        }
        if let Some(pattern) = limits.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            let detail = format!("{path} in body should match '{pattern}'");
            errors.push(FieldError::invalid(path, &value, &detail));
        }
        if let Some(format) = limits.format.as_ref().filter(|format| !has_format(format, text)) {
            let detail = format!("{path} in body must be of type {format}: {value}");
            errors.push(FieldError::invalid(path, &value, &detail));
        }
    }

    fn check_number(&self, number: f64, path: &str, errors: &mut Vec<FieldError>) {
        let below = |bound: &Bound| number < bound.value || (bound.exclusive && number <= bound.value);
        let above = |bound: &Bound| number > bound.value || (bound.exclusive && number >= bound.value);
        let word = |bound: &Bound, word: &str| {
            if bound.exclusive {
                word.to_owned()
            } else {
                format!("{word} or equal to")
            }
        };
        let mut refuse = |detail: String| {
            errors.push(FieldError::invalid(
                path,
                &plain_number(number),
                &format!("{path} in body should be {detail}"),
            ));
        };
        if let Some(bound) = self.limits.minimum.as_ref().filter(|bound| below(bound)) {
            refuse(format!("{} {}", word(bound, "greater than"), plain_number(bound.value)));
        }
        if let Some(bound) = self.limits.maximum.as_ref().filter(|bound| above(bound)) {
            refuse(format!("{} {}", word(bound, "less than"), plain_number(bound.value)));
        }
        if self.limits.format.as_deref() == Some("int32")
            && !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number)
        {
            refuse("a 32 bit integer".to_owned());
        }
        if let Some(of) = self.limits.multiple_of.filter(|of| (number / of).fract() != 0.0) {
            refuse(format!("a multiple of {}", plain_number(of)));
        }
    }
}

fn too_many(path: &str, count: u64, max: Option<u64>) -> FieldError {
    let max = max.unwrap_or_default();
    FieldError::new(
        path,
        "FieldValueTooMany",
        format!("Too many: {count}: must have at most {max} items"),
    )
}

fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A number as JSON writes it, whole numbers without a fraction.
fn plain_number(number: f64) -> Value {
    let text = if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        number.to_string()
    };
    serde_json::from_str(&text).unwrap_or_else(|_| Value::from(number))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::parse, *};

    fn check(schema: &Value, value: &Value) -> Vec<String> {
        let mut errors = Vec::new();
        parse(schema, "s").unwrap().validate(value, "f", &mut errors);
        errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect()
    }

    #[test]
    fn each_limit_is_refused_with_its_own_message() {
        let cases = [
            (
                json!({"type": "array", "minItems": 1}),
                json!([]),
                "f: Invalid value: 0: f in body should have at least 1 items",
            ),
            (
                json!({"type": "array", "maxItems": 1}),
                json!([1, 2]),
                "f: Too many: 2: must have at most 1 items",
            ),
            (
                json!({"type": "string", "minLength": 1}),
                json!(""),
                "f: Invalid value: \"\": f in body should be at least 1 chars long",
            ),
            (
                json!({"type": "string", "maxLength": 1}),
                json!("ab"),
                "f: Too long: may not be more than 1 bytes",
            ),
            (
                json!({"type": "string", "enum": ["a", "b"]}),
                json!("c"),
                "f: Unsupported value: \"c\": supported values: \"a\", \"b\"",
            ),
            (
                json!({"type": "string", "pattern": "^a$"}),
                json!("b"),
                "f: Invalid value: \"b\": f in body should match '^a$'",
            ),
            (
                json!({"type": "string", "format": "date-time"}),
                json!("b"),
                "f: Invalid value: \"b\": f in body must be of type date-time: \"b\"",
            ),
            (
                json!({"type": "integer", "minimum": 3}),
                json!(2),
                "f: Invalid value: 2: f in body should be greater than or equal to 3",
            ),
            (
                json!({"type": "integer", "maximum": 3}),
                json!(4),
                "f: Invalid value: 4: f in body should be less than or equal to 3",
            ),
            (
                json!({"type": "integer", "format": "int32"}),
                json!(2_147_483_648_u64),
                "f: Invalid value: 2147483648: f in body should be a 32 bit integer",
            ),
            (
                json!({"type": "array"}),
                json!("x"),
                "f: Invalid value: \"string\": f in body must be of type array: \"string\"",
            ),
            (
                json!({"type": "object", "required": ["x"]}),
                json!({}),
                "f.x: Required value",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}),
                json!(["a", "a"]),
                "f[1]: Duplicate value: \"a\"",
            ),
            (
                json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}),
                json!([{"k": 1}, {"k": 1}]),
                "f[1]: Duplicate value: {\"k\":1}",
            ),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(check(&schema, &value), [expected]);
        }
    }

    #[test]
    fn null_is_valid_only_where_the_schema_says_so() {
        assert!(check(&json!({"type": "string", "nullable": true}), &json!(null)).is_empty());
        assert_eq!(check(&json!({"type": "string"}), &json!(null)).len(), 1);
    }
}

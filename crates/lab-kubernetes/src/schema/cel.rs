//! The rules of a schema that are written in CEL.

use kube_cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

use crate::status::FieldError;

/// The compiled rules of one version.
pub(crate) struct Rules {
    compiled: CompiledSchema,
    validator: Validator,
    any: bool,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules").field("any", &self.any).finish_non_exhaustive()
    }
}

impl Rules {
    /// Compiles the rules of a schema.
    ///
    /// # Errors
    ///
    /// The first rule that does not compile, in words.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let compiled = compile_schema(schema);
        let mut errors = nodes(&compiled)
            .into_iter()
            .flat_map(CompiledSchema::compilation_errors);
        if let Some(error) = errors.next() {
            return Err(error.to_string());
        }
        Ok(Self {
            any: nodes(&compiled).iter().any(|node| !node.validations.is_empty()),
            compiled,
            validator: Validator::new(),
        })
    }

    /// The rules that an object breaks; `sound` says whether the object meets the schema otherwise, without which rules
    /// are not evaluated.
    pub fn check(&self, object: &Value, old: Option<&Value>, sound: bool) -> Vec<FieldError> {
        if !self.any {
            return Vec::new();
        }
        if !sound {
            let message = "Invalid value: null: some validation rules were not checked because the object was invalid; \
                           correct the existing errors to complete validation";
            return vec![FieldError::new("<nil>", "FieldValueInvalid", message)];
        }
        let broken = self.validator.validate_compiled(&self.compiled, object, old);
        broken
            .err()
            .into_iter()
            .flatten()
            .map(|error| field_error(&error))
            .collect()
    }
}

fn field_error(error: &kube_cel::ValidationError) -> FieldError {
    let field = if error.field_path.is_empty() {
        "<nil>"
    } else {
        &error.field_path
    };
    let reason = match (&error.kind, error.reason.as_deref()) {
        (ErrorKind::ValidationFailure, Some("FieldValueForbidden")) => "FieldValueForbidden",
        (ErrorKind::ValidationFailure, Some("FieldValueRequired")) => "FieldValueRequired",
        (ErrorKind::ValidationFailure, Some("FieldValueDuplicate")) => "FieldValueDuplicate",
        _ => "FieldValueInvalid",
    };
    let message = match reason {
        "FieldValueForbidden" => format!("Forbidden: {}", error.message),
        "FieldValueRequired" => format!("Required value: {}", error.message),
        "FieldValueDuplicate" => format!("Duplicate value: {}", error.message),
        _ => format!("Invalid value: {}", error.message),
    };
    FieldError::new(field, reason, message)
}

/// Every node of a compiled schema.
fn nodes(schema: &CompiledSchema) -> Vec<&CompiledSchema> {
    let children = schema.properties.values();
    let children = children
        .chain(schema.items.as_deref())
        .chain(schema.additional_properties.as_deref());
    std::iter::once(schema).chain(children.flat_map(nodes)).collect()
}

//! Whether an object may be stored.

use serde_json::{Value, json};

use crate::{
    kinds::Kind,
    object,
    status::{ApiError, FieldError},
    strategy,
};

const NAME_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
    must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Checks an object against its kind.
pub(super) fn validate(kind: &Kind, object: &Value, old: Option<&Value>) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    check_metadata(kind, object, old, &mut errors);
    if let Some(custom) = kind.custom() {
        let mut found = Vec::new();
        custom.schema.validate(object, "", &mut found);
        let sound = !found.iter().any(blocks_rules);
        errors.extend(found);
        errors.extend(custom.rules.check(object, old, sound));
    }
    errors.extend(strategy::validate(kind, object, old));
    if errors.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid(
        &kind.kind,
        &kind.group,
        object::meta_text(object, "name"),
        &errors,
    ))
}

/// Errors after which the rules of CEL are not evaluated.
fn blocks_rules(error: &FieldError) -> bool {
    [
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    ]
    .contains(&error.reason)
}

fn check_metadata(kind: &Kind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let name = object::meta_text(object, "name");
    if name.is_empty() {
        errors.push(FieldError::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else if old.is_none() && !is_name(kind, name) {
        errors.push(FieldError::invalid("metadata.name", &json!(name), NAME_RULE));
    }
    let Some(old) = old.filter(|old| object::is_terminating(old)) else {
        return;
    };
    let finalizers = |object: &Value| -> Vec<String> {
        let list = object::meta(object, "finalizers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let before = finalizers(old);
    let new: Vec<String> = finalizers(object)
        .into_iter()
        .filter(|finalizer| !before.contains(finalizer))
        .collect();
    if !new.is_empty() {
        let listed: Vec<String> = new.iter().map(|finalizer| format!("{finalizer:?}")).collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            listed.join(", ")
        );
        errors.push(FieldError::forbidden("metadata.finalizers", &detail));
    }
}

fn is_name(kind: &Kind, name: &str) -> bool {
    if kind.group == "rbac.authorization.k8s.io" {
        return !name.contains(['/', '%']) && name != "." && name != "..";
    }
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= if kind.is_namespace() { 63 } else { 253 }
        && name.split('.').all(|label| {
            label.starts_with(alphanumeric)
                && label.ends_with(alphanumeric)
                && label.chars().all(|c| alphanumeric(c) || c == '-')
        })
}

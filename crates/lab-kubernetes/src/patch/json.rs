//! RFC 6902, with the one liberty of the API server: testing that something is null also holds when it is missing.

use json_patch::PatchOperation;
use serde_json::Value;

use crate::status::ApiError;

/// Applies the operations in order.
pub(crate) fn json_patch(object: &Value, patch: &Value) -> Result<Value, ApiError> {
    let operations: Vec<PatchOperation> = serde_json::from_value(patch.clone())
        .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
    let mut patched = object.clone();
    for operation in operations {
        if tests_absence(&patched, &operation) {
            continue;
        }
        json_patch::patch(&mut patched, &[operation]).map_err(|error| rejected(&error))?;
    }
    Ok(patched)
}

fn tests_absence(object: &Value, operation: &PatchOperation) -> bool {
    match operation {
        PatchOperation::Test(test) => test.value.is_null() && object.pointer(test.path.as_str()).is_none(),
        _ => false,
    }
}

fn rejected(error: &json_patch::PatchError) -> ApiError {
    let message = format!("the server rejected our request due to an error in our request: {error}");
    ApiError::new(422, "Invalid", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_value_is_null_to_a_test() {
        let patch = json!([
            {"op": "test", "path": "/metadata/finalizers", "value": null},
            {"op": "add", "path": "/metadata/finalizers", "value": ["a"]},
        ]);
        let once = json_patch(&json!({"metadata": {}}), &patch).unwrap();
        assert_eq!(once, json!({"metadata": {"finalizers": ["a"]}}));
        assert_eq!(json_patch(&once, &patch).unwrap_err().code, 422);
    }
}

//! Duplicates in lists that are sets or maps.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ListType;
use crate::status::FieldError;

impl ListType {
    /// What identifies an item in the list; `None` for lists whose items have no identity.
    pub fn identity(&self, item: &Value) -> Option<Value> {
        match self {
            Self::Atomic => None,
            Self::Set => Some(item.clone()),
            Self::Map(keys) => Some(Value::Object(key_of(keys, item))),
        }
    }

    pub(super) fn duplicates(&self, list: &[Value], path: &str, errors: &mut Vec<FieldError>) {
        let mut seen = BTreeSet::new();
        for (index, item) in list.iter().enumerate() {
            let Some(identity) = self.identity(item) else { return };
            if !seen.insert(identity.to_string()) {
                let message = format!("Duplicate value: {identity}");
                errors.push(FieldError::new(
                    format!("{path}[{index}]"),
                    "FieldValueDuplicate",
                    message,
                ));
            }
        }
    }
}

/// The keys of an item of a list of type map that the item has.
pub(crate) fn key_of(keys: &[String], item: &Value) -> Map<String, Value> {
    keys.iter()
        .filter_map(|key| Some((key.clone(), item.get(key)?.clone())))
        .collect()
}

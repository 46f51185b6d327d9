//! `metadata.managedFields`: who owns which fields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::FieldSet;
use crate::object;

/// Who changes an object, how, and through which subresource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manager {
    pub name: String,
    pub applies: bool,
    pub api_version: String,
    pub subresource: String,
}

/// The owners of an object's fields, each with the time of its last change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Managers {
    pub sets: BTreeMap<Manager, (FieldSet, String)>,
}

impl Manager {
    /// As messages about conflicts name a manager.
    pub fn display(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {:?}", self.subresource);
        }
        if !self.applies {
            text = format!("{text} using {}", self.api_version);
        }
        text
    }

    fn operation(&self) -> &'static str {
        if self.applies { "Apply" } else { "Update" }
    }
}

impl Managers {
    /// The owners that an object records.
    pub fn of(object: &Value) -> Self {
        let entries = object::meta(object, "managedFields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let sets = entries.map(|entry| {
            let manager = Manager {
                name: text(entry, "manager"),
                applies: entry["operation"] == "Apply",
                api_version: text(entry, "apiVersion"),
                subresource: text(entry, "subresource"),
            };
            (manager, (FieldSet::from_json(&entry["fieldsV1"]), text(entry, "time")))
        });
        Self { sets: sets.collect() }
    }

    /// Records the owners in an object.
    pub fn write(&self, object: &mut Value) {
        let mut entries: Vec<_> = self.sets.iter().filter(|(_, (set, _))| !set.is_empty()).collect();
        entries.sort_by(|(a, (_, at)), (b, (_, bt))| (a.operation(), at, a).cmp(&(b.operation(), bt, b)));
        let entries: Vec<Value> = entries
            .into_iter()
            .map(|(manager, (set, time))| entry(manager, set, time))
            .collect();
        let value = if entries.is_empty() {
            Value::Null
        } else {
            Value::Array(entries)
        };
        object::set_meta(object, "managedFields", value);
    }
}

fn entry(manager: &Manager, set: &FieldSet, time: &str) -> Value {
    let mut entry = json!({
        "manager": manager.name,
        "operation": manager.operation(),
        "apiVersion": manager.api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": set.to_json(),
    });
    if !manager.subresource.is_empty() {
        entry["subresource"] = json!(manager.subresource);
    }
    entry
}

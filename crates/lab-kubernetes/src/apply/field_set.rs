//! Sets of fields, in the shape that `fieldsV1` writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A set of fields: this one, perhaps, and those below it by step. Steps are written as in `fieldsV1`: `f:name`,
/// `k:{"key":"of the item"}`, `v:"value of the item"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    pub owned: bool,
    pub below: BTreeMap<String, Self>,
}

impl FieldSet {
    pub fn is_empty(&self) -> bool {
        !self.owned && self.below.values().all(Self::is_empty)
    }

    /// Adds what is below a step, if it is anything.
    pub fn put(&mut self, step: String, set: Self) {
        if !set.is_empty() {
            self.below.insert(step, set);
        }
    }

    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a || b)
    }

    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && b)
    }

    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && !b)
    }

    fn combine(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let nothing = Self::default();
        let mut result = Self {
            owned: keep(self.owned, other.owned),
            below: BTreeMap::new(),
        };
        for (step, set) in &self.below {
            result.put(
                step.clone(),
                set.combine(other.below.get(step).unwrap_or(&nothing), keep),
            );
        }
        for (step, set) in other.below.iter().filter(|(step, _)| !self.below.contains_key(*step)) {
            result.put(step.clone(), nothing.combine(set, keep));
        }
        result
    }

    /// Without everything at and below a path of steps.
    pub fn without(&self, path: &[&str]) -> Self {
        let mut result = self.clone();
        result.cut(path);
        result
    }

    fn cut(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.below.remove(*last);
            }
            [step, rest @ ..] => {
                if let Some(set) = self.below.get_mut(*step) {
                    set.cut(rest);
                    if set.is_empty() {
                        self.below.remove(*step);
                    }
                }
            }
        }
    }

    /// With every named field above an owned one owned as well.
    pub fn with_parents(&self) -> Self {
        let below: BTreeMap<_, _> = self
            .below
            .iter()
            .map(|(step, set)| (step.clone(), set.with_parents()))
            .collect();
        let below = below
            .into_iter()
            .map(|(step, mut set)| {
                set.owned |= step.starts_with("f:") && !set.is_empty();
                (step, set)
            })
            .collect();
        Self {
            owned: self.owned,
            below,
        }
    }

    /// The paths of the owned fields, as messages write them: `.status.conditions[type="Ready"].reason`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        if self.owned {
            paths.push(path.to_owned());
        }
        for (step, set) in &self.below {
            set.collect(&format!("{path}{}", readable(step)), paths);
        }
    }

    pub fn to_json(&self) -> Value {
        let mut map: Map<String, Value> = self
            .below
            .iter()
            .map(|(step, set)| (step.clone(), set.to_json()))
            .collect();
        if self.owned && !map.is_empty() {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        Value::Object(map)
    }

    /// Reads what [`to_json`](Self::to_json) writes; the root is no field.
    pub fn from_json(value: &Value) -> Self {
        let mut set = Self::read(value);
        set.owned = false;
        set
    }

    fn read(value: &Value) -> Self {
        let map = value.as_object();
        let steps = map.into_iter().flatten().filter(|(step, _)| *step != ".");
        Self {
            owned: map.is_none_or(|map| map.is_empty() || map.contains_key(".")),
            below: steps.map(|(step, value)| (step.clone(), Self::read(value))).collect(),
        }
    }
}

fn readable(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("v", value)) => format!("[={value}]"),
        Some(("k", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        _ => step.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(value: &Value) -> FieldSet {
        FieldSet::from_json(value)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let fields = json!({"f:a": {".": {}, "f:b": {}}, "f:c": {"k:{\"x\":1}": {".": {}, "f:d": {}}, "v:\"y\"": {}}});
        assert_eq!(set(&fields).to_json(), fields);
    }

    #[test]
    fn sets_combine_as_sets() {
        let (a, b) = (
            set(&json!({"f:a": {}, "f:b": {"f:c": {}}})),
            set(&json!({"f:b": {"f:c": {}, "f:d": {}}})),
        );
        assert_eq!(a.union(&b).to_json(), json!({"f:a": {}, "f:b": {"f:c": {}, "f:d": {}}}));
        assert_eq!(a.intersection(&b).to_json(), json!({"f:b": {"f:c": {}}}));
        assert_eq!(a.difference(&b).to_json(), json!({"f:a": {}}));
        assert!(a.difference(&a).is_empty());
    }

    #[test]
    fn paths_are_readable() {
        let fields = set(&json!({"f:a": {"k:{\"t\":\"R\"}": {".": {}, "f:m": {}}}, "f:s": {"v:\"z\"": {}}}));
        assert_eq!(fields.paths(), [".a[t=\"R\"]", ".a[t=\"R\"].m", ".s[=\"z\"]"]);
    }
}

//! Strategic merge patches of built-in kinds.

use serde_json::{Map, Value};

use crate::{
    kinds::{BuiltinList, METADATA_LISTS},
    status::ApiError,
};

/// Applies a strategic merge patch; `lists` are the lists of the kind whose items are merged.
pub(crate) fn strategic(object: &Value, patch: &Value, lists: &[BuiltinList]) -> Result<Value, ApiError> {
    Merge { lists }.value(Some(object), patch, "")
}

struct Merge<'a> {
    lists: &'a [BuiltinList],
}

impl Merge<'_> {
    fn value(&self, live: Option<&Value>, patch: &Value, at: &str) -> Result<Value, ApiError> {
        match patch {
            Value::Object(patch) => Ok(Value::Object(self.map(live.and_then(Value::as_object), patch, at)?)),
            _ => Ok(patch.clone()),
        }
    }

    fn map(
        &self,
        live: Option<&Map<String, Value>>,
        patch: &Map<String, Value>,
        at: &str,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut merged = match patch.get("$patch").and_then(Value::as_str) {
            Some("replace") => Map::new(),
            Some("delete") => return Ok(Map::new()),
            Some(other) if other != "merge" => return Err(refused(at, &format!("$patch: {other}"))),
            _ => live.cloned().unwrap_or_default(),
        };
        if let Some(keys) = patch.get("$retainKeys").and_then(Value::as_array) {
            merged.retain(|key, _| keys.iter().any(|kept| kept == key.as_str()));
        }
        for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
            let at = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            let order = patch.get(&format!("$setElementOrder/{key}"));
            match value {
                Value::Null => drop(merged.remove(key)),
                Value::Array(items) => {
                    let list = self.list(merged.get(key), items, order, &at)?;
                    merged.insert(key.clone(), Value::Array(list));
                }
                _ => {
                    let value = self.value(merged.get(key), value, &at)?;
                    merged.insert(key.clone(), value);
                }
            }
        }
        self.directives(&mut merged, patch, at)?;
        Ok(merged)
    }

    /// The directives that speak of lists which the patch does not hold itself.
    fn directives(
        &self,
        merged: &mut Map<String, Value>,
        patch: &Map<String, Value>,
        at: &str,
    ) -> Result<(), ApiError> {
        for (key, value) in patch.iter().filter(|(key, _)| key.starts_with('$')) {
            match key.split_once('/') {
                Some(("$deleteFromPrimitiveList", list)) => {
                    let gone = value.as_array().cloned().unwrap_or_default();
                    if let Some(list) = merged.get_mut(list).and_then(Value::as_array_mut) {
                        list.retain(|item| !gone.contains(item));
                    }
                }
                Some(("$setElementOrder", list)) => {
                    let at = if at.is_empty() {
                        list.to_owned()
                    } else {
                        format!("{at}.{list}")
                    };
                    if let Some(Value::Array(items)) = merged.get_mut(list) {
                        self.sort(items, value, &at);
                    }
                }
                _ if key == "$patch" || key == "$retainKeys" => {}
                _ => return Err(refused(at, key)),
            }
        }
        Ok(())
    }

    fn list(
        &self,
        live: Option<&Value>,
        patch: &[Value],
        order: Option<&Value>,
        at: &str,
    ) -> Result<Vec<Value>, ApiError> {
        let live = live.and_then(Value::as_array).cloned().unwrap_or_default();
        if patch
            .iter()
            .any(|item| item.get("$patch") == Some(&Value::from("replace")))
        {
            return Ok(patch
                .iter()
                .filter(|item| item.get("$patch").is_none())
                .cloned()
                .collect());
        }
        let mut merged = match self.key_of(at) {
            None => return Ok(patch.to_vec()),
            Some("") => union(live, patch),
            Some(key) => self.items(live, patch, key, at)?,
        };
        if let Some(order) = order {
            self.sort(&mut merged, order, at);
        }
        Ok(merged)
    }

    fn items(&self, mut merged: Vec<Value>, patch: &[Value], key: &str, at: &str) -> Result<Vec<Value>, ApiError> {
        let item_path = format!("{at}[]");
        for change in patch {
            let identity = change
                .get(key)
                .ok_or_else(|| refused(at, &format!("an item without its merge key {key}")))?;
            let place = merged.iter().position(|item| item.get(key) == Some(identity));
            if change.get("$patch") == Some(&Value::from("delete")) {
                merged.retain(|item| item.get(key) != Some(identity));
                continue;
            }
            let value = self.value(place.and_then(|place| merged.get(place)), change, &item_path)?;
            match place.and_then(|place| merged.get_mut(place)) {
                Some(item) => *item = value,
                None => merged.push(value),
            }
        }
        Ok(merged)
    }

    /// Puts the items of a list in the order of the directive; items it does not name stay where they are, after.
    fn sort(&self, items: &mut [Value], order: &Value, at: &str) {
        let key = self.key_of(at).unwrap_or_default();
        let identity = |item: &Value| {
            if key.is_empty() {
                Some(item.clone())
            } else {
                item.get(key).cloned()
            }
        };
        let order: Vec<Option<Value>> = order.as_array().into_iter().flatten().map(identity).collect();
        items.sort_by_key(|item| order.iter().position(|of| *of == identity(item)).unwrap_or(usize::MAX));
    }

    fn key_of(&self, at: &str) -> Option<&'static str> {
        METADATA_LISTS
            .iter()
            .chain(self.lists)
            .find(|list| list.path == at)
            .map(|list| list.patch_key)
    }
}

fn union(mut live: Vec<Value>, patch: &[Value]) -> Vec<Value> {
    for item in patch {
        if !live.contains(item) {
            live.push(item.clone());
        }
    }
    live
}

fn refused(at: &str, what: &str) -> ApiError {
    ApiError::not_implemented(format!("{what} of strategic merge patches (at {at:?})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::builtins;

    fn deployment_lists() -> &'static [BuiltinList] {
        builtins()
            .iter()
            .find(|builtin| builtin.kind == "Deployment")
            .unwrap()
            .lists
    }

    #[test]
    fn items_are_merged_by_their_key_and_ordered() {
        let containers = |list: Value| json!({"spec": {"template": {"spec": {"containers": list}}}});
        let live = containers(json!([{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]));
        let mut patch =
            containers(json!([{"name": "a", "image": "2"}, {"name": "c"}, {"$patch": "delete", "name": "b"}]));
        patch["spec"]["template"]["spec"]["$setElementOrder/containers"] = json!([{"name": "c"}, {"name": "a"}]);
        let patched = strategic(&live, &patch, deployment_lists()).unwrap();
        assert_eq!(
            patched,
            containers(json!([{"name": "c"}, {"name": "a", "image": "2", "args": ["x"]}]))
        );
    }

    #[test]
    fn lists_without_identity_are_replaced_and_plain_sets_united() {
        let live = json!({"rules": [{"verbs": ["get"]}], "metadata": {"finalizers": ["a", "b"]}});
        let patch = json!({
            "rules": [{"verbs": ["list"]}],
            "metadata": {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]},
        });
        let patched = strategic(&live, &patch, &[]).unwrap();
        assert_eq!(patched["rules"], json!([{"verbs": ["list"]}]));
        assert_eq!(patched["metadata"]["finalizers"], json!(["b", "c"]));
    }

    #[test]
    fn a_directive_that_is_not_known_is_refused() {
        assert_eq!(strategic(&json!({}), &json!({"$other": 1}), &[]).unwrap_err().code, 501);
    }
}

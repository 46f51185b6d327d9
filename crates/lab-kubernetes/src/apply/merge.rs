//! Merging an applied object into the stored one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    compare::items,
    types::{Shape, Type},
};
use crate::schema::ListType;

/// The stored value with the applied value over it.
pub(super) fn merge(field: &Type<'_>, live: Option<&Value>, applied: &Value) -> Value {
    match (field.shape(applied), live, applied) {
        (Shape::Map, Some(Value::Object(live)), Value::Object(applied)) => {
            Value::Object(merge_maps(field, live, applied))
        }
        (Shape::List(list_type), Some(live @ Value::Array(_)), _) => {
            Value::Array(merge_lists(field, &list_type, live, applied))
        }
        _ => applied.clone(),
    }
}

fn merge_maps(field: &Type<'_>, live: &Map<String, Value>, applied: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = live.clone();
    for (name, value) in applied {
        let value = merge(&field.field(name), live.get(name), value);
        merged.insert(name.clone(), value);
    }
    merged
}

/// Items in the applied order; items that only the stored list has keep their place between them.
fn merge_lists(field: &Type<'_>, list_type: &ListType, live: &Value, applied: &Value) -> Vec<Value> {
    let (live, applied) = (items(list_type, Some(live)), items(list_type, Some(applied)));
    let of_live: BTreeMap<&str, &Value> = live.iter().map(|(step, item)| (step.as_str(), *item)).collect();
    let steps: BTreeSet<&str> = applied.iter().map(|(step, _)| step.as_str()).collect();
    let mut shared = applied
        .iter()
        .map(|(step, _)| step.as_str())
        .filter(|step| of_live.contains_key(step))
        .peekable();
    let (mut rest, mut merged) = (live.iter().peekable(), Vec::new());
    for (step, item) in &applied {
        while let Some((next, item)) = rest.peek() {
            let taken = steps.contains(next.as_str());
            if taken && (next == step || shared.peek().is_none_or(|shared| *shared == next)) {
                break;
            }
            if !taken {
                merged.push((*item).clone());
            }
            rest.next();
        }
        rest.next_if(|(next, _)| next == step);
        shared.next_if(|shared| shared == step);
        merged.push(merge(&field.item(), of_live.get(step.as_str()).copied(), item));
    }
    merged.extend(
        rest.filter(|(step, _)| !steps.contains(step.as_str()))
            .map(|(_, item)| (*item).clone()),
    );
    merged
}

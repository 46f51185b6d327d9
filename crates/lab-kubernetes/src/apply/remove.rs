//! Removing fields from an object.

use serde_json::Value;

use super::{
    FieldSet,
    types::{Shape, Type, step_to},
};

/// The value without the fields of a set; a field that is removed takes everything below it along.
pub(super) fn remove(field: &Type<'_>, value: &mut Value, set: &FieldSet) {
    match (field.shape(value), value) {
        (Shape::Map, Value::Object(map)) => {
            for (step, below) in &set.below {
                let Some(name) = step.strip_prefix("f:") else { continue };
                if below.owned {
                    map.remove(name);
                } else if let Some(value) = map.get_mut(name) {
                    remove(&field.field(name), value, below);
                }
            }
        }
        (Shape::List(list_type), Value::Array(list)) => list.retain_mut(|item| {
            let below = step_to(&list_type, item).and_then(|step| set.below.get(&step));
            if let Some(below) = below.filter(|below| !below.owned) {
                remove(&field.item(), item, below);
            }
            below.is_none_or(|below| !below.owned)
        }),
        _ => {}
    }
}

//! Which fields an object has, and which fields differ between two objects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    FieldSet,
    types::{Shape, Type, step_to},
};
use crate::schema::ListType;

/// The differences from one object to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub added: FieldSet,
    pub modified: FieldSet,
    pub removed: FieldSet,
}

/// Why an object cannot be a set of fields.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotApplicable {
    #[error("{0}: duplicate entries for key {1}")]
    Duplicate(String, String),
    #[error("{0}: element without its key in an associative list")]
    WithoutKey(String),
    #[error("{0}: field not declared in schema")]
    Undeclared(String),
}

/// The fields that an applied object claims.
pub(super) fn fields_of(field: &Type<'_>, value: &Value, path: &str) -> Result<FieldSet, NotApplicable> {
    let mut set = FieldSet::default();
    match (field.shape(value), value) {
        (Shape::Map, Value::Object(map)) => {
            for (name, value) in map {
                let (child, path) = (field.field(name), format!("{path}.{name}"));
                if matches!((&child, field), (Type::Unknown, Type::Schema(schema) | Type::Root(schema)) if !schema.preserve_unknown)
                    && !is_head(field, name)
                {
                    return Err(NotApplicable::Undeclared(path));
                }
                let mut below = fields_of(&child, value, &path)?;
                let empty = value.as_object().is_some_and(Map::is_empty);
                below.owned |= value.is_null() || empty || field.is_map_key(name);
                set.put(format!("f:{name}"), below);
            }
        }
        (Shape::List(list_type), Value::Array(list)) => {
            for item in list {
                let step = step_to(&list_type, item).ok_or_else(|| NotApplicable::WithoutKey(path.to_owned()))?;
                let mut below = fields_of(&field.item(), item, &format!("{path}[]"))?;
                below.owned = true;
                if set.below.contains_key(&step) {
                    return Err(NotApplicable::Duplicate(path.to_owned(), step));
                }
                set.put(step, below);
            }
        }
        _ => set.owned = true,
    }
    Ok(set)
}

fn is_head(field: &Type<'_>, name: &str) -> bool {
    matches!(field, Type::Root(_)) && ["apiVersion", "kind", "metadata"].contains(&name)
}

/// The fields that differ between two objects, either of which may be missing.
pub(super) fn compare(field: &Type<'_>, old: Option<&Value>, new: Option<&Value>) -> Comparison {
    let mut found = Comparison::default();
    if old == new {
        return found;
    }
    match shape_of_both(field, old, new) {
        Shape::Map => maps(field, old, new, &mut found),
        Shape::List(list_type) => lists(field, &list_type, old, new, &mut found),
        Shape::Leaf => found.modified.owned = old.is_some() && new.is_some(),
    }
    found.added.owned |= old.is_none();
    found.removed.owned |= new.is_none();
    found
}

/// The shape that two values can be compared in, piece by piece or as a whole.
fn shape_of_both(field: &Type<'_>, old: Option<&Value>, new: Option<&Value>) -> Shape {
    // Null takes whatever form the other has.
    let shape = |value: Option<&Value>| value.filter(|value| !value.is_null()).map(|value| field.shape(value));
    match (shape(old), shape(new)) {
        _ if both_empty(old, new) => Shape::Leaf,
        (Some(shape), None) | (None, Some(shape)) => shape,
        (Some(old), Some(new)) if old == new => new,
        _ => Shape::Leaf,
    }
}

fn both_empty(old: Option<&Value>, new: Option<&Value>) -> bool {
    let empty = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => true,
    };
    empty(old) && empty(new)
}

fn maps(field: &Type<'_>, old: Option<&Value>, new: Option<&Value>, found: &mut Comparison) {
    let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
    let names: BTreeSet<&String> = old.into_iter().chain(new).flat_map(Map::keys).collect();
    for name in names {
        let below = compare(
            &field.field(name),
            old.and_then(|map| map.get(name)),
            new.and_then(|map| map.get(name)),
        );
        found.put(&format!("f:{name}"), below);
    }
}

fn lists(field: &Type<'_>, list_type: &ListType, old: Option<&Value>, new: Option<&Value>, found: &mut Comparison) {
    let by_step = |value| {
        items(list_type, value)
            .into_iter()
            .collect::<BTreeMap<String, &Value>>()
    };
    let (old, new) = (by_step(old), by_step(new));
    let steps: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for step in steps {
        let below = compare(&field.item(), old.get(step).copied(), new.get(step).copied());
        found.put(step, below);
    }
}

/// The items of a list by the step to them.
pub(super) fn items<'a>(list_type: &ListType, value: Option<&'a Value>) -> Vec<(String, &'a Value)> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|item| Some((step_to(list_type, item)?, item)))
        .collect()
}

impl Comparison {
    fn put(&mut self, step: &str, below: Self) {
        self.added.put(step.to_owned(), below.added);
        self.modified.put(step.to_owned(), below.modified);
        self.removed.put(step.to_owned(), below.removed);
    }
}

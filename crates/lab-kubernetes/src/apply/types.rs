//! How the fields of an object behave in server-side apply: as one value, as a map, as a list with identities.

use serde_json::{Map, Value};

use crate::{
    kinds::{Builtin, BuiltinList, Form, Kind, METADATA_LISTS},
    schema::{ListType, Schema, key_of},
};

/// The type of one field.
#[derive(Clone, Debug)]
pub(crate) enum Type<'a> {
    /// The object of a custom resource.
    Root(&'a Schema),
    /// A field of a custom resource.
    Schema(&'a Schema),
    /// A field of a built-in kind, or of the metadata of any kind, by its path.
    Typed(Option<&'static Builtin>, String),
    /// A field that no schema knows.
    Unknown,
}

/// What a field is to server-side apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One value, owned as a whole.
    Leaf,
    Map,
    /// A list whose items have an identity.
    List(ListType),
}

impl<'a> Type<'a> {
    pub fn of(kind: &'a Kind) -> Self {
        match &kind.form {
            Form::Custom(custom) => Self::Root(&custom.schema),
            Form::Builtin(builtin) => Self::Typed(Some(builtin), String::new()),
        }
    }

    /// The shape of a value of this type.
    pub fn shape(&self, value: &Value) -> Shape {
        match (value, self) {
            (Value::Object(_), Self::Schema(schema)) if schema.atomic_map => Shape::Leaf,
            (Value::Object(_), Self::Typed(Some(builtin), path)) if builtin.atomic.contains(&path.as_str()) => {
                Shape::Leaf
            }
            (Value::Object(_), _) => Shape::Map,
            (Value::Array(_), Self::Schema(schema)) => list(schema.list_type.clone()),
            (Value::Array(_), Self::Typed(builtin, path)) => list(typed_list(*builtin, path)),
            _ => Shape::Leaf,
        }
    }

    pub fn field(&self, name: &str) -> Self {
        match self {
            Self::Root(_) if name == "metadata" => Self::Typed(None, "metadata".to_owned()),
            Self::Root(schema) | Self::Schema(schema) => schema.field(name).map_or(Self::Unknown, Self::Schema),
            Self::Typed(builtin, path) if path.is_empty() => Self::Typed(*builtin, name.to_owned()),
            Self::Typed(builtin, path) => Self::Typed(*builtin, format!("{path}.{name}")),
            Self::Unknown => Self::Unknown,
        }
    }

    pub fn item(&self) -> Self {
        match self {
            Self::Schema(schema) => schema.items.as_deref().map_or(Self::Unknown, Self::Schema),
            Self::Typed(builtin, path) => Self::Typed(*builtin, format!("{path}[]")),
            Self::Root(_) | Self::Unknown => Self::Unknown,
        }
    }

    /// Whether a field is a key of a map rather than a declared field: such keys are members of a set themselves.
    pub fn is_map_key(&self, name: &str) -> bool {
        match self {
            Self::Root(_) | Self::Typed(..) => false,
            Self::Schema(schema) => !schema.properties.contains_key(name),
            Self::Unknown => true,
        }
    }
}

/// The step to an item of a list with identities; `None` for an item without its keys.
pub(super) fn step_to(list_type: &ListType, item: &Value) -> Option<String> {
    match list_type {
        ListType::Atomic => None,
        ListType::Set => Some(format!("v:{item}")),
        ListType::Map(keys) => {
            let mut found = key_of(keys, item);
            defaults_of_keys(keys, &mut found);
            (found.len() == keys.len()).then(|| format!("k:{}", Value::Object(found)))
        }
    }
}

/// A port without a protocol is a TCP port.
fn defaults_of_keys(keys: &[String], found: &mut Map<String, Value>) {
    if keys.iter().any(|key| key == "protocol") {
        found.entry("protocol").or_insert_with(|| Value::from("TCP"));
    }
}

fn list(list_type: ListType) -> Shape {
    if list_type == ListType::Atomic {
        Shape::Leaf
    } else {
        Shape::List(list_type)
    }
}

fn typed_list(builtin: Option<&'static Builtin>, path: &str) -> ListType {
    let own = builtin.map_or(&[] as &[BuiltinList], |builtin| builtin.lists);
    let found = METADATA_LISTS.iter().chain(own).find(|list| list.path == path);
    found.map_or(ListType::Atomic, BuiltinList::list_type)
}

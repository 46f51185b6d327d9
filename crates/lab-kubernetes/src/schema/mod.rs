//! Structural schemas of custom resources: parsed once per definition, with every keyword either understood or refused.

pub(crate) mod cel;
mod defaults;
mod formats;
mod lists;
mod parse;
mod prune;
mod validate;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

pub(crate) use lists::key_of;
pub(crate) use parse::parse;

/// The JSON type a schema asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonType {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl JsonType {
    pub fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// `x-kubernetes-list-type`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum ListType {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

/// One node of a structural schema.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "the switches of structural schemas")]
pub(crate) struct Schema {
    pub json_type: Option<JsonType>,
    pub nullable: bool,
    pub properties: BTreeMap<String, Self>,
    pub additional: Option<Box<Self>>,
    pub items: Option<Box<Self>>,
    pub required: Vec<String>,
    pub default: Option<Value>,
    pub list_type: ListType,
    pub atomic_map: bool,
    pub preserve_unknown: bool,
    pub int_or_string: bool,
    pub limits: Limits,
}

/// What a value of a node is checked against, besides its type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub one_of: Option<Vec<Value>>,
    pub minimum: Option<Bound>,
    pub maximum: Option<Bound>,
    pub multiple_of: Option<f64>,
    pub length: Span,
    pub items: Span,
    pub properties: Span,
    pub pattern: Option<Regex>,
    pub format: Option<String>,
}

/// A limit of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    pub value: f64,
    pub exclusive: bool,
}

/// How long something may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub min: Option<u64>,
    pub max: Option<u64>,
}

impl Schema {
    /// The schema of a field, if the schema knows it.
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.additional.as_deref())
    }
}

/// The path of a field below another, as messages write it.
pub(crate) fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

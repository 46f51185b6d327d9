//! Tables, as `kubectl get` shows them.

mod age;
mod builtin;
mod json_path;

pub(crate) use json_path::is_understood;

use serde_json::{Value, json};

use crate::kinds::{Custom, CustomColumn, Form, Kind};

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources \
    may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for \
    creation idempotence and configuration definition. Cannot be updated. More info: \
    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/// What the rows of a table carry besides their cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    pub fn parse(include: &str) -> Self {
        match include {
            "None" => Self::Nothing,
            "Object" => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// A table of objects.
pub(crate) fn table<'a>(
    kind: &Kind,
    objects: impl IntoIterator<Item = &'a Value>,
    include: Include,
    version: &str,
) -> Value {
    let rows: Vec<Value> = objects.into_iter().map(|object| row(kind, object, include)).collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": columns(kind),
        "rows": rows,
    })
}

/// An object's metadata alone.
pub(crate) fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

fn row(kind: &Kind, object: &Value, include: Include) -> Value {
    let mut row = json!({"cells": cells(kind, object)});
    match include {
        Include::Nothing => row["object"] = Value::Null,
        Include::Metadata => row["object"] = partial(object),
        Include::Object => row["object"] = object.clone(),
    }
    row
}

fn columns(kind: &Kind) -> Vec<Value> {
    let mut columns = vec![column("Name", "string", "name", NAME, 0)];
    match &kind.form {
        Form::Custom(custom) => columns.extend(shown(custom).iter().map(|c| {
            let described = format!(
                "Custom resource definition column (in JSONPath format): {}",
                c.json_path
            );
            let description = if c.description.is_empty() {
                &described
            } else {
                &c.description
            };
            column(&c.name, &c.json_type, &c.format, description, c.priority)
        })),
        Form::Builtin(builtin) => columns.extend(
            builtin::columns(builtin)
                .iter()
                .map(|c| column(c.name, c.json_type, "", c.name, c.priority.into())),
        ),
    }
    if kind.table == "events" {
        columns.rotate_left(1);
        columns
            .iter_mut()
            .filter(|column| column["name"] == "Name")
            .for_each(|column| column["priority"] = json!(1));
    }
    columns
}

fn cells(kind: &Kind, object: &Value) -> Vec<Value> {
    let mut cells = vec![object["metadata"]["name"].clone()];
    match &kind.form {
        Form::Custom(custom) => cells.extend(shown(custom).iter().map(|column| custom_cell(column, object))),
        Form::Builtin(builtin) => cells.extend(builtin::cells(builtin, object)),
    }
    if kind.table == "events" {
        cells.rotate_left(1);
    }
    cells
}

/// The columns of a definition; without any there is the age.
fn shown(custom: &Custom) -> Vec<CustomColumn> {
    if !custom.columns.is_empty() {
        return custom.columns.clone();
    }
    vec![CustomColumn {
        name: "Age".to_owned(),
        json_type: "date".to_owned(),
        format: String::new(),
        description: String::new(),
        json_path: ".metadata.creationTimestamp".to_owned(),
        priority: 0,
    }]
}

fn custom_cell(column: &CustomColumn, object: &Value) -> Value {
    let Some(value) = json_path::find(&column.json_path, object) else {
        return Value::Null;
    };
    match (column.json_type.as_str(), &value) {
        ("date", Value::String(time)) => json!(age::since(time)),
        ("string", Value::String(_)) | ("integer" | "number" | "boolean", _) => value,
        ("string", other) => json!(other.to_string()),
        _ => value,
    }
}

fn column(name: &str, json_type: &str, format: &str, description: &str, priority: i64) -> Value {
    json!({"name": name, "type": json_type, "format": format, "description": description, "priority": priority})
}

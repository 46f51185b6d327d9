//! The kinds that CustomResourceDefinitions add.

use serde_json::Value;

use super::{Form, Kind};
use crate::{
    object,
    schema::{self, Schema, cel::Rules},
    status::{ApiError, FieldError},
    table,
};

/// What a definition says about its objects.
#[derive(Debug)]
pub(crate) struct Custom {
    pub schema: Schema,
    pub rules: Rules,
    pub columns: Vec<CustomColumn>,
}

/// `additionalPrinterColumns`.
#[derive(Clone, Debug)]
pub(crate) struct CustomColumn {
    pub name: String,
    pub json_type: String,
    pub format: String,
    pub description: String,
    pub json_path: String,
    pub priority: i64,
}

/// The kind that a definition defines.
pub(crate) fn parse_definition(definition: &Value) -> Result<Kind, ApiError> {
    let name = object::meta_text(definition, "name");
    let invalid =
        |error: FieldError| ApiError::invalid("CustomResourceDefinition", "apiextensions.k8s.io", name, &[error]);
    let spec = |path: &[&str]| object::text(&definition["spec"], path).unwrap_or_default().to_owned();
    let (group, plural) = (spec(&["group"]), spec(&["names", "plural"]));
    if name != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        return Err(invalid(FieldError::invalid(
            "metadata.name",
            &Value::from(name),
            detail,
        )));
    }
    if !matches!(spec(&["conversion", "strategy"]).as_str(), "" | "None") {
        return Err(ApiError::not_implemented("conversion of custom resources by a webhook"));
    }
    let version = only_version(definition)?;
    let schema = &version["schema"]["openAPIV3Schema"];
    let custom = custom(version, schema).map_err(|error| match error {
        Refused::Invalid(error) => invalid(error),
        Refused::Unimplemented(what) => ApiError::not_implemented(what),
    })?;
    Ok(Kind {
        table: format!("{group}/{plural}"),
        group,
        plural,
        version: text(version, "name"),
        singular: spec(&["names", "singular"]),
        kind: spec(&["names", "kind"]),
        list_kind: spec(&["names", "listKind"]),
        namespaced: spec(&["scope"]) == "Namespaced",
        short_names: texts(&definition["spec"]["names"]["shortNames"]),
        categories: texts(&definition["spec"]["names"]["categories"]),
        has_status: version["subresources"].get("status").is_some(),
        has_generation: true,
        form: Form::Custom(Box::new(custom)),
    })
}

fn only_version(definition: &Value) -> Result<&Value, ApiError> {
    match definition["spec"]["versions"].as_array().map(Vec::as_slice) {
        Some([version]) if version["served"] == true && version["storage"] == true => {
            if version["subresources"].get("scale").is_some() {
                return Err(ApiError::not_implemented("the subresource scale of custom resources"));
            }
            Ok(version)
        }
        _ => Err(ApiError::not_implemented("definitions with more than one version")),
    }
}

enum Refused {
    Invalid(FieldError),
    Unimplemented(String),
}

fn custom(version: &Value, schema: &Value) -> Result<Custom, Refused> {
    let path = "spec.versions[0].schema.openAPIV3Schema";
    let parsed = schema::parse(schema, path).map_err(|error| {
        if error.unimplemented {
            Refused::Unimplemented(format!("{} ({})", error.what, error.path))
        } else {
            Refused::Invalid(FieldError::new(error.path, "FieldValueInvalid", error.what))
        }
    })?;
    let rules = Rules::compile(schema).map_err(|error| {
        Refused::Invalid(FieldError::new(
            path,
            "FieldValueInvalid",
            format!("Invalid value: {error}"),
        ))
    })?;
    let columns: Vec<_> = version["additionalPrinterColumns"]
        .as_array()
        .into_iter()
        .flatten()
        .map(column)
        .collect();
    if let Some(column) = columns.iter().find(|column| !table::is_understood(&column.json_path)) {
        return Err(Refused::Unimplemented(format!("the JSONPath {:?}", column.json_path)));
    }
    Ok(Custom {
        schema: parsed,
        rules,
        columns,
    })
}

fn column(column: &Value) -> CustomColumn {
    CustomColumn {
        name: text(column, "name"),
        json_type: text(column, "type"),
        format: text(column, "format"),
        description: text(column, "description"),
        json_path: text(column, "jsonPath"),
        priority: column["priority"].as_i64().unwrap_or_default(),
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

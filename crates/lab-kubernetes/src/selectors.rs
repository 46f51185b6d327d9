//! Label and field selectors.

use serde_json::Value;

use crate::{object, status::ApiError};

/// Which objects a list or watch is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

#[derive(Clone, Debug)]
struct FieldRequirement {
    path: Vec<String>,
    value: String,
    equal: bool,
}

impl Selector {
    /// Parses both selectors; `fields` are the paths that the resource can be selected by, besides its metadata.
    pub fn parse(labels: &str, fields: &str, selectable: &[&str]) -> Result<Self, ApiError> {
        let labels = split(labels)
            .into_iter()
            .map(|part| requirement(&part))
            .collect::<Result<_, _>>()?;
        let parts = fields.split(',').filter(|part| !part.is_empty());
        let fields = parts.map(|part| field(part, selectable)).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn selects(&self, object: &Value) -> bool {
        self.labels.iter().all(|r| r.holds(object)) && self.fields.iter().all(|r| r.holds(object))
    }
}

impl Requirement {
    fn holds(&self, object: &Value) -> bool {
        let label = |key: &str| {
            object::labels(object)
                .and_then(|labels| labels.get(key))
                .and_then(Value::as_str)
        };
        match self {
            Self::In(key, values) => label(key).is_some_and(|label| values.iter().any(|v| v == label)),
            Self::NotIn(key, values) => label(key).is_none_or(|label| values.iter().all(|v| v != label)),
            Self::Exists(key) => label(key).is_some(),
            Self::Missing(key) => label(key).is_none(),
        }
    }
}

impl FieldRequirement {
    fn holds(&self, object: &Value) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let found = object::at(object, &path).map_or_else(String::new, plain);
        (found == self.value) == self.equal
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Splits at commas that are not inside parentheses.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        inside = (inside || c == '(') && c != ')';
        match (c, inside) {
            (',', false) => parts.push(String::new()),
            _ => parts.iter_mut().next_back().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
        .iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

fn requirement(part: &str) -> Result<Requirement, ApiError> {
    let text = str::to_owned;
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement::NotIn(text(key.trim()), vec![text(value.trim())]));
    }
    if let Some((key, values)) = part.split_once('(') {
        return set_requirement(part, key, values);
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::In(text(key.trim()), vec![text(value.trim())]));
    }
    match part.strip_prefix('!') {
        _ if part.contains(char::is_whitespace) => Err(unparsable(part)),
        Some(key) => Ok(Requirement::Missing(text(key.trim()))),
        None => Ok(Requirement::Exists(text(part))),
    }
}

fn set_requirement(part: &str, key: &str, values: &str) -> Result<Requirement, ApiError> {
    let values = values.strip_suffix(')').ok_or_else(|| unparsable(part))?;
    let values = values.split(',').map(|value| value.trim().to_owned()).collect();
    match key.trim().rsplit_once(char::is_whitespace) {
        Some((key, "in")) => Ok(Requirement::In(key.trim().to_owned(), values)),
        Some((key, "notin")) => Ok(Requirement::NotIn(key.trim().to_owned(), values)),
        _ => Err(unparsable(part)),
    }
}

fn unparsable(part: &str) -> ApiError {
    ApiError::bad_request(format!("unable to parse requirement: {part:?}"))
}

fn field(part: &str, selectable: &[&str]) -> Result<FieldRequirement, ApiError> {
    let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
        (path, value, false)
    } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (path, value, true)
    } else {
        return Err(ApiError::bad_request(format!(
            "invalid selector: '{part}'; can't understand '{part}'"
        )));
    };
    if !["metadata.name", "metadata.namespace"].contains(&path) && !selectable.contains(&path) {
        return Err(ApiError::bad_request(format!("field label not supported: {path}")));
    }
    Ok(FieldRequirement {
        path: path.split('.').map(str::to_owned).collect(),
        value: value.to_owned(),
        equal,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(labels: &str, fields: &str) -> bool {
        let object = json!({"metadata": {"name": "a", "namespace": "n", "labels": {"app": "x", "tier": "db"}}});
        Selector::parse(labels, fields, &[]).unwrap().selects(&object)
    }

    #[test]
    fn labels_are_selected_by_equality_sets_and_presence() {
        for yes in [
            "",
            "app=x",
            "app==x",
            "app!=y",
            "app in (x, y)",
            "tier notin (web)",
            "app",
            "!gone",
            "app=x,tier=db",
        ] {
            assert!(selects(yes, ""), "{yes}");
        }
        for no in [
            "app=y",
            "app!=x",
            "app in (y)",
            "tier notin (db,web)",
            "gone",
            "!app",
            "app=x,tier=web",
        ] {
            assert!(!selects(no, ""), "{no}");
        }
    }

    #[test]
    fn names_and_namespaces_are_selected_by_field() {
        assert!(selects("", "metadata.name=a,metadata.namespace!=m"));
        assert!(!selects("", "metadata.name=b"));
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        assert!(Selector::parse("a b c", "", &[]).is_err());
        assert!(Selector::parse("", "spec.x=1", &[]).is_err());
        assert!(Selector::parse("", "metadata.name", &[]).is_err());
    }
}

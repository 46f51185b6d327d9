//! The part of JSONPath that printer columns use: fields, indices, and `[?(@.field=='text')]`.

use serde_json::Value;

/// The first value at a path.
pub(super) fn find(path: &str, object: &Value) -> Option<Value> {
    let mut found = vec![object];
    for step in steps(path)? {
        found = found.into_iter().flat_map(|value| step.walk(value)).collect();
    }
    found
        .first()
        .filter(|value| !value.is_null())
        .map(|value| (*value).clone())
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    All,
    Where(String, String),
}

impl Step {
    fn walk<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let items = value.as_array().into_iter().flatten();
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Index(index) => value.get(index).into_iter().collect(),
            Self::All => items.collect(),
            Self::Where(field, text) => items.filter(|item| item[field] == text.as_str()).collect(),
        }
    }
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']')?;
            steps.push(bracket(inside)?);
            rest = after;
        } else {
            let after = rest.strip_prefix('.').unwrap_or(rest);
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            steps.push(Step::Field(name.to_owned()));
            rest = after;
        }
    }
    Some(steps)
}

fn bracket(inside: &str) -> Option<Step> {
    if inside == "*" {
        return Some(Step::All);
    }
    if let Some(condition) = inside.strip_prefix("?(@.").and_then(|rest| rest.strip_suffix(')')) {
        let (field, text) = condition.split_once("==")?;
        let text = text.trim().trim_matches(['\'', '"']);
        return Some(Step::Where(field.trim().to_owned(), text.to_owned()));
    }
    match inside.trim_matches(['\'', '"']) {
        name if name.len() < inside.len() => Some(Step::Field(name.to_owned())),
        index => index.parse().ok().map(Step::Index),
    }
}

/// Whether a path is one that [`find`] understands.
pub(crate) fn is_understood(path: &str) -> bool {
    steps(path).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_paths_of_printer_columns_are_found() {
        let object = json!({"a": {"b": [{"type": "x", "s": 1}, {"type": "y", "s": 2}]}, "c.d": 3});
        for (path, expected) in [
            (".a.b[?(@.type=='y')].s", Some(json!(2))),
            (".a.b[0].s", Some(json!(1))),
            (".a.b[*].s", Some(json!(1))),
            ("['c.d']", Some(json!(3))),
            (".a.z", None),
        ] {
            assert_eq!(find(path, &object), expected, "{path}");
        }
        assert!(!is_understood(".a[?(@.b>1)]"));
    }
}

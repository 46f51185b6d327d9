//! How things look: tables of the Kubernetes API.

use serde_json::Value;

/// A Table of the Kubernetes API, as kubectl prints it.
pub fn table(table: &Value) -> String {
    let columns = table["columnDefinitions"].as_array().into_iter().flatten();
    let shown: Vec<usize> = columns
        .clone()
        .enumerate()
        .filter(|(_, column)| column["priority"] == 0)
        .map(|(index, _)| index)
        .collect();
    let names: Vec<_> = columns.map(|column| text(&column["name"]).to_uppercase()).collect();
    let rows = table["rows"].as_array().into_iter().flatten();
    let cells = rows.map(|row| row["cells"].as_array().into_iter().flatten().map(text).collect());
    let lines: Vec<Vec<String>> = std::iter::once(names).chain(cells).collect();
    aligned(&lines, &shown)
}

/// An object as `-o custom-columns` of kubectl shows it: of a list `a[*].b` every value.
pub fn columns(object: &Value, columns: &[(&str, &str)]) -> String {
    let names = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let cells = columns.iter().map(|(_, path)| match path.split_once("[*]/") {
        Some((list, key)) => {
            let items = object.pointer(list).and_then(Value::as_array).into_iter().flatten();
            items.map(|item| text(&item[key])).collect::<Vec<_>>().join(",")
        }
        None => object.pointer(path).map(text).unwrap_or_default(),
    });
    let cells = cells.map(|cell| if cell.is_empty() { "<none>".to_owned() } else { cell });
    aligned(&[names, cells.collect()], &(0..columns.len()).collect::<Vec<_>>())
}

fn aligned(lines: &[Vec<String>], shown: &[usize]) -> String {
    let width = |index: usize| lines.iter().filter_map(|line| line.get(index)).map(String::len).max();
    lines
        .iter()
        .map(|line| {
            let cells = shown.iter().map(|&index| {
                let cell = line.get(index).map_or("", String::as_str);
                format!("{cell:<width$}   ", width = width(index).unwrap_or_default())
            });
            cells.collect::<String>().trim_end().to_owned() + "\n"
        })
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_looks_as_in_kubectl() {
        let answer = json!({
            "columnDefinitions": [
                {"name": "Name", "priority": 0}, {"name": "Note", "priority": 1}, {"name": "Nodes", "priority": 0},
            ],
            "rows": [{"cells": ["a-long-name", "hidden", 3]}, {"cells": ["b", "hidden", null]}],
        });
        assert_eq!(table(&answer), "NAME          NODES\na-long-name   3\nb\n");
    }

    #[test]
    fn custom_columns_look_as_in_kubectl() {
        let object = json!({"spec": {"nodeName": "a", "interfaces": [{"id": 1}, {"id": 2}], "none": []}});
        let asked = [
            ("NODE", "/spec/nodeName"),
            ("ID", "/spec/interfaces[*]/id"),
            ("X", "/spec/none[*]/id"),
        ];
        assert_eq!(columns(&object, &asked), "NODE   ID    X\na      1,2   <none>\n");
    }
}

//! How things look: POSTs, node configs, tables of the Kubernetes API.

use std::{collections::BTreeMap, fmt::Display};

use comfy_table::{Table, presets};
use multinic_lab::Post;
use multinic_model::{NodeConfig, NodeName};
use serde_json::Value;

use crate::failure::Failure;

/// Node configs by node.
pub type Nodes = BTreeMap<NodeName, NodeConfig>;

const HEADER: [&str; 7] = ["NODE", "ID", "MAC", "ADDRESS", "CIDR", "MTU", ""];

/// A POST as it was sent, with line breaks in its body.
pub fn post(url: &str, post: &Post) -> Result<String, Failure> {
    let nodes: Vec<NodeConfig> = serde_json::from_str(&post.body).map_err(Failure::failed)?;
    let nodes = nodes.iter().map(node).collect::<Result<Vec<_>, _>>()?;
    Ok(format!(
        "\nPOST {url}/v1/k8s/multinic/node-configs\nx-provider-id: {}\n\n[{}]\n",
        post.cluster,
        nodes.join(",\n ")
    ))
}

/// One interface a line.
fn node(node: &NodeConfig) -> Result<String, Failure> {
    let interfaces = node
        .interfaces
        .iter()
        .map(|interface| serde_json::to_string(interface).map(|json| format!("\n   {json}")))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::failed)?;
    let name = serde_json::to_string(&node.node_name).map_err(Failure::failed)?;
    let instance = serde_json::to_string(&node.instance_id).map_err(Failure::failed)?;
    Ok(format!(
        "{{\"nodeName\":{name},\"instanceId\":{instance},\"interfaces\":[{}]}}",
        interfaces.join(",")
    ))
}

/// The node configs in force, and of each interface whether its id stayed; that one moved is a failure of the product.
pub fn compare(before: &Nodes, after: &Nodes) -> Result<String, Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADER);
    for (name, node) in after {
        for (index, interface) in node.interfaces.iter().enumerate() {
            let known = before.get(name).into_iter().flat_map(|node| &node.interfaces);
            let old = known.clone().find(|old| old.mac_address == interface.mac_address);
            let verdict = match old {
                Some(old) if old.id == interface.id => "kept",
                Some(_) => {
                    let moved = format!("{name}: the id of {} moved", interface.mac_address);
                    return Err(Failure::failed(moved));
                }
                None => "new",
            };
            let cells: [&dyn Display; 7] = [
                if index == 0 { name } else { &"" },
                &interface.id,
                &interface.mac_address,
                &interface.address.address(),
                &interface.address.cidr(),
                &interface.mtu,
                &verdict,
            ];
            table.add_row(cells.map(ToString::to_string));
        }
    }
    Ok(format!("\n{}\n", table.trim_fmt()))
}

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
}

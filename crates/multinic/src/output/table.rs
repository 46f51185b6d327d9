//! The table of node configs.

use comfy_table::{Cell, Table, presets};
use multinic_model::{ClusterId, Interface, NodeName};
use multinic_planner::{Change, PlannedNode};
use multinic_sync::{ClusterReport, Report};

const HEADER: [&str; 7] = ["NODE", "STATE", "ID", "MAC", "ADDRESS", "CIDR", "MTU"];

/// Every node of every cluster, one line an interface. `all` shows nodes that are as they should be, too.
pub fn render(report: &Report, all: bool) -> String {
    report
        .clusters
        .iter()
        .map(|(cluster, entry)| cluster_table(cluster, entry, all))
        .collect()
}

fn cluster_table(cluster: &ClusterId, entry: &ClusterReport, all: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADER);
    let shown = entry
        .plan
        .nodes
        .iter()
        .filter(|(_, node)| all || node.change != Change::Unchanged);
    let mut rows = 0;
    for (name, node) in shown {
        rows += add_node(&mut table, name, node, entry);
    }
    let summary = summary(entry);
    match rows {
        0 => format!("cluster {cluster}: {summary}\n"),
        _ => format!("cluster {cluster}: {summary}\n{table}\n"),
    }
}

fn add_node(table: &mut Table, name: &NodeName, node: &PlannedNode, entry: &ClusterReport) -> usize {
    let state = state(name, node, entry);
    if node.config.interfaces.is_empty() {
        table.add_row([name.as_str(), &state, "-", "-", "-", "-", "-"].map(Cell::new));
        return 1;
    }
    for (index, interface) in node.config.interfaces.iter().enumerate() {
        let first = index == 0;
        table.add_row(row(
            if first { name.as_str() } else { "" },
            if first { &state } else { "" },
            interface,
        ));
    }
    node.config.interfaces.len()
}

fn row(name: &str, state: &str, interface: &Interface) -> [Cell; 7] {
    let Interface {
        id,
        mac_address,
        address,
        mtu,
    } = interface;
    [
        Cell::new(name),
        Cell::new(state),
        Cell::new(id),
        Cell::new(mac_address),
        Cell::new(address.address()),
        Cell::new(address.cidr()),
        Cell::new(mtu),
    ]
}

/// What was planned, or what the management API made of it.
fn state(name: &NodeName, node: &PlannedNode, entry: &ClusterReport) -> String {
    let result = entry.delivery.as_ref().and_then(|delivery| delivery.nodes.get(name));
    result.map_or_else(
        || node.change.to_string().to_lowercase(),
        |result| result.name().to_owned(),
    )
}

fn summary(entry: &ClusterReport) -> String {
    let nodes = entry.plan.nodes.len();
    let interfaces = entry.plan.interface_count();
    let changed = entry
        .plan
        .nodes
        .values()
        .filter(|node| node.change != Change::Unchanged)
        .count();
    format!("{nodes} node(s), {interfaces} interface(s), {changed} to change")
}

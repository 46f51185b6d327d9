//! The POST bodies, grouped by cluster.

use std::collections::BTreeMap;

use multinic_model::{ClusterId, NodeConfig};
use multinic_planner::Plan;
use multinic_sync::Report;

use crate::{cli::OutputFormat, failure::Failure};

/// `{"<cluster id>": [ …node configs… ]}`: exactly what is sent, in the order in which it is sent; with `all` also the
/// nodes that are as they should be.
pub fn bodies(report: &Report, all: bool) -> BTreeMap<&ClusterId, Vec<&NodeConfig>> {
    report
        .clusters
        .iter()
        .map(|(cluster, entry)| (cluster, nodes(&entry.plan, all)))
        .collect()
}

fn nodes(plan: &Plan, all: bool) -> Vec<&NodeConfig> {
    if all {
        plan.nodes.values().map(|node| &node.config).collect()
    } else {
        plan.deliveries().collect()
    }
}

/// JSON or YAML text, with a newline at its end.
pub fn render(report: &Report, all: bool, format: OutputFormat) -> Result<String, Failure> {
    let bodies = bodies(report, all);
    match format {
        OutputFormat::Yaml => serde_saphyr::to_string(&bodies).map_err(|error| Failure::failed(error.to_string())),
        _ => serde_json::to_string_pretty(&bodies)
            .map(|text| text + "\n")
            .map_err(Failure::failed),
    }
}

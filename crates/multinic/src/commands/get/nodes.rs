//! `multinic get nodes`: a line for each node.

use multinic_api_client::{ApiReader, NodeFilter, views::Node};
use serde_json::Value;

use super::{cells, connect::cluster, page, show};
use crate::{
    cli::{OutputFormat, get::NodesArgs},
    failure::Failure,
    output::{columns::Columns, items::view, say},
};

/// Shows the nodes that match.
pub async fn run(reader: &ApiReader, args: &NodesArgs, format: OutputFormat) -> Result<(), Failure> {
    let cluster = cluster(reader, &args.provider).await?;
    let filter = NodeFilter {
        node_name: args.node.as_ref().map(ToString::to_string),
        instance_id: args.instance.clone(),
        mac_address: args.mac.clone(),
        address: args.address.clone(),
        updated_since: args.since,
    };
    let mut columns = Columns::new([
        "NODE",
        "INSTANCE",
        "INTERFACES",
        "REVISION",
        "DELIVERY",
        "AGENT",
        "UPDATED",
    ]);
    let table = |items: Vec<Value>| {
        let rows = items.into_iter().map(|item| view(item).map(row));
        let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
        Ok(if rows.is_empty() {
            String::new()
        } else {
            columns.rows(rows)
        })
    };
    let pages = reader.nodes(&cluster, &filter, page(args.limit));
    let shown = show(pages, args.limit, format, table).await?;
    if shown == 0 {
        let which = if filter == NodeFilter::default() {
            ""
        } else {
            " that matches"
        };
        say(&format!("the cluster {cluster} has no node{which}"));
    }
    Ok(())
}

fn row(node: Node) -> [String; 7] {
    let delivery = node.delivery.as_ref().map(cells::delivery).unwrap_or_default();
    let agent = cells::agent(&node);
    [
        node.node_name,
        node.instance_id,
        node.interfaces.len().to_string(),
        cells::maybe(node.revision),
        delivery,
        agent,
        cells::maybe(node.updated_at.map(cells::time)),
    ]
}

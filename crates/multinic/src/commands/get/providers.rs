//! `multinic get providers`: a line for each cluster.

use multinic_api_client::{ApiReader, views::Provider};
use serde_json::Value;

use super::{PAGE, cells, show};
use crate::{
    cli::OutputFormat,
    failure::Failure,
    output::{columns::Columns, items::view, say},
};

/// Shows the clusters that the token is allowed for.
pub async fn run(reader: &ApiReader, format: OutputFormat) -> Result<(), Failure> {
    let mut columns = Columns::new([
        "PROVIDER",
        "NAME",
        "TARGET",
        "EMPTY-NODES",
        "NODES",
        "INTERFACES",
        "UNDELIVERED",
        "CHANGED",
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
    let shown = show(reader.providers(PAGE), None, format, table).await?;
    if shown == 0 {
        say("the server knows no cluster that the token is allowed for");
    }
    Ok(())
}

fn row(provider: Provider) -> [String; 8] {
    let target = provider.delivery.target;
    let target = match target.name {
        Some(name) => format!("{} {name}", target.kind),
        None => target.kind,
    };
    [
        provider.id,
        provider.display_name,
        target,
        provider.delivery.empty_nodes,
        provider.nodes.to_string(),
        provider.interfaces.to_string(),
        provider.undelivered.to_string(),
        cells::time(provider.changed_at),
    ]
}

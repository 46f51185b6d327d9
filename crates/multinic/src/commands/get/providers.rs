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
        "DELIVERY",
        "ERROR",
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

fn row(provider: Provider) -> [String; 10] {
    let target = provider.delivery.target;
    let target = match target.name {
        Some(name) => format!("{} {name}", target.kind),
        None => target.kind,
    };
    let (state, error) = provider
        .target
        .map(|state| (state.state, state.last_error.unwrap_or_default()))
        .unwrap_or_default();
    [
        provider.id,
        provider.display_name,
        target,
        provider.delivery.empty_nodes,
        provider.nodes.to_string(),
        provider.interfaces.to_string(),
        provider.undelivered.to_string(),
        cells::time(provider.changed_at),
        state,
        error,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cluster_that_fails_says_why() {
        let provider = json!({"id": "biz-1", "nodes": 3, "interfaces": 4, "undelivered": 2, "changedAt": "2026-01-08T00:00:00Z",
            "delivery": {"target": {"kind": "kubeconfig", "name": "seoul"}, "emptyNodes": "keep"},
            "target": {"state": "failing", "attempts": 7, "lastError": "failed to reach the cluster"}});
        let row = row(serde_json::from_value(provider).unwrap());
        assert_eq!((row[2].as_str(), row[6].as_str()), ("kubeconfig seoul", "2"));
        assert_eq!(row[8..], ["failing", "failed to reach the cluster"]);
    }
}

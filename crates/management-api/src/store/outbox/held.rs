//! What a cluster should hold, to be compared with what it holds.

use multinic_model::{ClusterId, NodeConfig, NodeName};
use sqlx::any::AnyRow;

use super::Action;
use crate::store::{
    Store, StoreError,
    content::{damaged, parse, read},
    sql::{Statement, Value, chunks, commit, maybe_number, maybe_text, text},
};

/// What is known of one node's object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The node.
    pub node: NodeName,
    /// What it should have; `None`: there should be no object.
    pub config: Option<NodeConfig>,
    /// It is being brought in order anyway.
    pub is_open: bool,
    /// It waits for its agent to clean up.
    pub retires: bool,
}

const HELD: &str = "SELECT d.node_name, d.action, d.due_at, d.sent_at, c.content FROM deliveries d \
    LEFT JOIN changes c ON c.provider_id = d.provider_id AND c.node_name = d.node_name \
    AND c.revision = d.wanted_revision WHERE d.provider_id = ";

impl Store {
    /// At most `limit` nodes of the cluster behind `after`, by name.
    pub async fn held(
        &self,
        cluster: &ClusterId,
        after: Option<&NodeName>,
        limit: u32,
    ) -> Result<Vec<Held>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = Statement::new(HELD)
            .value(cluster.as_str())
            .text(" AND d.node_name > ")
            .value(after.map_or("", NodeName::as_str))
            .text(" ORDER BY d.node_name LIMIT ")
            .value(i64::from(limit))
            .all(&mut connection)
            .await?;
        rows.iter().map(held).collect()
    }

    /// Those of these nodes that are known.
    pub async fn held_of<'n>(
        &self,
        cluster: &ClusterId,
        nodes: impl IntoIterator<Item = &'n str>,
    ) -> Result<Vec<Held>, StoreError> {
        let mut connection = self.database.read().await?;
        let nodes: Vec<_> = nodes.into_iter().map(Value::from).collect();
        let mut found = Vec::with_capacity(nodes.len());
        for nodes in chunks(&nodes, 1) {
            let rows = Statement::new(HELD)
                .value(cluster.as_str())
                .text(" AND d.node_name IN ")
                .list(nodes.iter().cloned())
                .all(&mut connection)
                .await?;
            for row in &rows {
                found.push(held(row)?);
            }
        }
        Ok(found)
    }

    /// The cluster does not hold what it should of these nodes: they are due.
    pub async fn mend(&self, cluster: &ClusterId, nodes: &[NodeName]) -> Result<(), StoreError> {
        let now = self.now().as_microsecond();
        let mut transaction = self.database.write(cluster.as_str()).await?;
        for nodes in chunks(nodes, 1) {
            Statement::new("UPDATE deliveries SET delivered_revision = NULL, action = 'apply', due_at = ")
                .value(now)
                .text(
                    " WHERE (action = 'apply' AND due_at IS NULL OR action = 'retire' AND sent_at IS NOT NULL) \
                     AND provider_id = ",
                )
                .value(cluster.as_str())
                .text(" AND node_name IN ")
                .list(nodes.iter().map(|node| Value::from(node.as_str())))
                .execute(&mut transaction)
                .await?;
        }
        commit(transaction).await?;
        Ok(())
    }

    /// The object of a node without interfaces may go now.
    pub async fn retire(&self, cluster: &ClusterId, node: &NodeName) -> Result<(), StoreError> {
        let now = self.now();
        let mut transaction = self.database.write(cluster.as_str()).await?;
        super::clean(&mut transaction, cluster, node, i64::MAX, now).await?;
        commit(transaction).await?;
        Ok(())
    }
}

fn held(row: &AnyRow) -> Result<Held, StoreError> {
    let name = text(row, "node_name")?;
    let action = text(row, "action")?;
    let action: Action = action.parse().map_err(|error| damaged("action", &name, &error))?;
    let is_due = maybe_number(row, "due_at")?.is_some();
    let retires = action == Action::Retire && is_due;
    let has_object = action == Action::Apply || action == Action::Retire && maybe_number(row, "sent_at")?.is_some();
    let content = maybe_text(row, "content")?.filter(|_| has_object);
    Ok(Held {
        config: content.map(|content| parse(&content, &name)).transpose()?,
        is_open: is_due && !retires,
        retires,
        node: read("node name", &name, &name)?,
    })
}

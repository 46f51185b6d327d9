//! What is to be done next in a cluster.

use multinic_model::{ClusterId, NodeConfig, NodeName};
use sqlx::{AnyConnection, any::AnyRow};

use super::Action;
use crate::store::{
    Store, StoreError,
    content::{count, damaged, parse, read},
    sql::{Statement, Value, chunks, commit, maybe_number, maybe_text, number, text},
};

/// A node whose object has to be seen to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// The node.
    pub node: NodeName,
    /// What is to be done.
    pub action: Action,
    /// The revision that is delivered by it.
    pub revision: u64,
    /// What the node should have; `None` only for [`Action::Remove`].
    pub config: Option<NodeConfig>,
    /// How often it was tried in vain since the last change.
    pub attempts: u64,
    /// Something was sent before: there may be an object.
    sent: bool,
}

impl Store {
    /// At most `limit` nodes of the cluster that are due, what is due longest first. From here on they count as sent: the
    /// removal of a node waits for the removal of its object.
    pub async fn due(&self, cluster: &ClusterId, limit: u32) -> Result<Vec<Due>, StoreError> {
        let now = self.now().as_microsecond();
        let mut connection = self.database.read().await?;
        let found = find(&mut connection, cluster, now, limit).await?;
        drop(connection);
        if found.iter().all(|due| due.sent || due.action == Action::Remove) {
            return Ok(found);
        }
        let mut transaction = self.database.write(cluster.as_str()).await?;
        mark(&mut transaction, cluster, now, &found).await?;
        // Again: a node may have been taken out before it was marked.
        let mut found = find(&mut transaction, cluster, now, limit).await?;
        commit(transaction).await?;
        found.retain(|due| due.sent || due.action == Action::Remove);
        Ok(found)
    }

    /// Whether what was due is still what is wanted.
    pub async fn is_wanted(&self, cluster: &ClusterId, due: &Due) -> Result<bool, StoreError> {
        let mut connection = self.database.read().await?;
        let row = Statement::new("SELECT wanted_revision FROM deliveries WHERE due_at IS NOT NULL AND provider_id = ")
            .value(cluster.as_str())
            .text(" AND node_name = ")
            .value(due.node.as_str())
            .text(" AND action = ")
            .value(<&str>::from(due.action))
            .optional(&mut connection)
            .await?;
        let wanted = row.map(|row| number(&row, "wanted_revision")).transpose()?;
        Ok(wanted.and_then(|wanted| u64::try_from(wanted).ok()) == Some(due.revision))
    }
}

async fn find(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    now: i64,
    limit: u32,
) -> Result<Vec<Due>, StoreError> {
    let rows = Statement::new(
        "SELECT d.node_name, d.action, d.wanted_revision, d.attempts, d.sent_at, c.content FROM deliveries d \
         LEFT JOIN changes c ON c.provider_id = d.provider_id AND c.node_name = d.node_name \
         AND c.revision = d.wanted_revision WHERE d.provider_id = ",
    )
    .value(cluster.as_str())
    .text(" AND d.due_at <= ")
    .value(now)
    .text(" ORDER BY d.due_at, d.node_name LIMIT ")
    .value(i64::from(limit))
    .all(connection)
    .await?;
    rows.iter().map(due).collect()
}

async fn mark(connection: &mut AnyConnection, cluster: &ClusterId, now: i64, found: &[Due]) -> Result<(), StoreError> {
    let unsent: Vec<_> = found.iter().filter(|due| !due.sent).collect();
    for unsent in chunks(&unsent, 1) {
        Statement::new("UPDATE deliveries SET sent_at = ")
            .value(now)
            .text(" WHERE provider_id = ")
            .value(cluster.as_str())
            .text(" AND action <> 'remove' AND node_name IN ")
            .list(unsent.iter().map(|due| Value::from(due.node.as_str())))
            .execute(connection)
            .await?;
    }
    Ok(())
}

fn due(row: &AnyRow) -> Result<Due, StoreError> {
    let name = text(row, "node_name")?;
    let action = text(row, "action")?;
    let action: Action = action.parse().map_err(|error| damaged("action", &name, &error))?;
    let config = match (action, maybe_text(row, "content")?) {
        (Action::Remove, _) => None,
        (_, Some(content)) => Some(parse(&content, &name)?),
        (_, None) => return Err(damaged("node config", &name, &"it is missing")),
    };
    Ok(Due {
        action,
        revision: count("revision", &name, number(row, "wanted_revision")?)?,
        config,
        attempts: count("attempts", &name, number(row, "attempts")?)?,
        sent: maybe_number(row, "sent_at")?.is_some(),
        node: read("node name", &name, &name)?,
    })
}

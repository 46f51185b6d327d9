//! What the agents say about their nodes: the newest report of each.

use jiff::Timestamp;
use multinic_model::{
    ClusterId, NodeName,
    multinic_node_config::{MultiNicNodeConfigStatus, NodeState},
};
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Store, StoreError,
    content::{count, damaged, time},
    outbox,
    sql::{Statement, Value, commit, maybe_number, maybe_text, number, text},
};

/// An agent's report.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// What it says, in the words of the MultiNicNodeConfig's status.
    pub status: MultiNicNodeConfigStatus,
    /// The revision that it speaks of.
    pub observed_revision: Option<u64>,
    /// When it last changed.
    pub reported_at: Timestamp,
    /// Who said it.
    pub reported_by: String,
}

impl Store {
    /// Keeps an agent's report; false if it says what the last one said, which writes nothing.
    ///
    /// The status' `observedGeneration` counts revisions here.
    pub async fn report(
        &self,
        cluster: &ClusterId,
        node: &NodeName,
        state: NodeState,
        status: &MultiNicNodeConfigStatus,
        caller: &str,
    ) -> Result<bool, StoreError> {
        let content = serde_json::to_string(status).map_err(|error| damaged("report", node.as_str(), &error))?;
        let mut connection = self.database.read().await?;
        if current(&mut connection, cluster, node).await?.as_ref() == Some(&content) {
            return Ok(false);
        }
        drop(connection);
        let mut transaction = self.database.write(cluster.as_str()).await?;
        // Again, now that nobody can delete the node meanwhile.
        current(&mut transaction, cluster, node).await?;
        let row: [Value; 7] = [
            cluster.as_str().into(),
            node.as_str().into(),
            state_name(state).into(),
            status.observed_generation.into(),
            content.into(),
            self.now().as_microsecond().into(),
            caller.into(),
        ];
        Statement::new(
            "INSERT INTO reports (provider_id, node_name, state, observed_revision, content, reported_at, reported_by) \
             VALUES ",
        )
        .list(row)
        .text(
            " ON CONFLICT (provider_id, node_name) DO UPDATE SET state = excluded.state, \
             observed_revision = excluded.observed_revision, content = excluded.content, \
             reported_at = excluded.reported_at, reported_by = excluded.reported_by",
        )
        .execute(&mut transaction)
        .await?;
        if let (NodeState::Configured, Some(observed)) = (state, status.observed_generation) {
            outbox::clean(&mut transaction, cluster, node, observed, self.now()).await?;
        }
        commit(transaction).await?;
        Ok(true)
    }
}

/// The last report of a node that has to be there.
async fn current(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    node: &NodeName,
) -> Result<Option<String>, StoreError> {
    let row = Statement::new(
        "SELECT r.content AS report FROM nodes n LEFT JOIN reports r \
         ON r.provider_id = n.provider_id AND r.node_name = n.node_name WHERE n.provider_id = ",
    )
    .value(cluster.as_str())
    .text(" AND n.node_name = ")
    .value(node.as_str())
    .optional(connection)
    .await?;
    match row {
        Some(row) => maybe_text(&row, "report"),
        None => Err(StoreError::UnknownNode {
            provider: cluster.clone(),
            node: node.clone(),
        }),
    }
}

/// As the contract spells it.
const fn state_name(state: NodeState) -> &'static str {
    match state {
        NodeState::Pending => "Pending",
        NodeState::InProgress => "InProgress",
        NodeState::Configured => "Configured",
        NodeState::Failed => "Failed",
    }
}

/// The columns of `reports` in a row; `None` if the agent has said nothing yet.
pub(super) fn report(row: &AnyRow, name: &str) -> Result<Option<Report>, StoreError> {
    let Some(content) = maybe_text(row, "report")? else {
        return Ok(None);
    };
    let observed = maybe_number(row, "observed_revision")?;
    Ok(Some(Report {
        status: serde_json::from_str(&content).map_err(|error| damaged("report", name, &error))?,
        observed_revision: observed.map(|revision| count("revision", name, revision)).transpose()?,
        reported_at: time(name, number(row, "reported_at")?)?,
        reported_by: text(row, "reported_by")?,
    }))
}

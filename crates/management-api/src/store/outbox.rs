//! What is still to be put into the clusters: one row per node, so that only the newest state is ever delivered.
//!
//! The row is written in the transaction of the change. It stays after the delivery and says how it went; `due_at` is
//! empty when there is nothing to do.

use jiff::Timestamp;
use multinic_model::{ClusterId, NodeName};
use serde::Serialize;
use sqlx::{AnyConnection, any::AnyRow};
use strum::IntoStaticStr;

use super::{
    StoreError,
    content::{count, time},
    sql::{Statement, Value, chunks, maybe_number, maybe_text},
};

/// What is to be done with a node's object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Action {
    /// It is to be as the node config says.
    Apply,
    /// It is to go.
    Remove,
}

/// How far the delivery of one node into its cluster has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    /// pending: not tried since the last change; failing: tried and to be tried again; delivered.
    pub state: DeliveryPhase,
    /// The revision that is in the cluster, if any was delivered.
    pub delivered_revision: Option<u64>,
    /// When it was delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// How often it was tried since the last change.
    pub attempts: u64,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A delivery's phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryPhase {
    /// Not tried since the last change.
    Pending,
    /// Tried in vain, to be tried again.
    Failing,
    /// The cluster has the newest revision.
    Delivered,
}

/// Notes the newest state of these nodes (name, revision) as due at once.
pub(super) async fn want(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    action: Action,
    nodes: &[(Value, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for nodes in chunks(nodes, 6) {
        let rows = nodes.iter().map(|(name, revision)| {
            vec![
                cluster.as_str().into(),
                name.clone(),
                <&str>::from(action).into(),
                (*revision).into(),
                0.into(),
                now.as_microsecond().into(),
            ]
        });
        Statement::new(
            "INSERT INTO deliveries (provider_id, node_name, action, wanted_revision, attempts, due_at) VALUES ",
        )
        .rows(rows)
        .text(
            " ON CONFLICT (provider_id, node_name) DO UPDATE SET action = excluded.action, \
             wanted_revision = excluded.wanted_revision, attempts = 0, due_at = excluded.due_at, last_error = NULL",
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// A removed node whose object was never put anywhere needs nobody to take it away.
pub(super) async fn forget_undelivered(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    node: &NodeName,
) -> Result<(), StoreError> {
    Statement::new("DELETE FROM deliveries WHERE provider_id = ")
        .value(cluster.as_str())
        .text(" AND node_name = ")
        .value(node.as_str())
        .text(" AND action = 'remove' AND delivered_revision IS NULL AND claimed_by IS NULL")
        .execute(connection)
        .await?;
    Ok(())
}

/// The columns of `deliveries` in a row; `None` if there is none for the node.
pub(super) fn delivery(row: &AnyRow, name: &str) -> Result<Option<DeliveryState>, StoreError> {
    let Some(attempts) = maybe_number(row, "attempts")? else {
        return Ok(None);
    };
    let at = |column| {
        let micros = maybe_number(row, column)?;
        micros.map(|micros| time(name, micros)).transpose()
    };
    let due = at("due_at")?;
    let delivered = maybe_number(row, "delivered_revision")?;
    let state = match (due, attempts) {
        (None, _) => DeliveryPhase::Delivered,
        (Some(_), 0) => DeliveryPhase::Pending,
        (Some(_), _) => DeliveryPhase::Failing,
    };
    Ok(Some(DeliveryState {
        state,
        delivered_revision: delivered
            .map(|revision| count("revision", name, revision))
            .transpose()?,
        delivered_at: at("delivered_at")?,
        attempts: count("attempts", name, attempts)?,
        next_attempt_at: due,
        last_error: maybe_text(row, "last_error")?,
    }))
}

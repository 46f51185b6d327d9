//! What is still to be put into the clusters: one row per node, so that only the newest state is ever delivered.
//!
//! The row is written in the transaction of the change. It stays after the delivery and says how it went; `due_at` is
//! empty when there is nothing to do. Read on in `due` (what is to be done) and `settle` (what became of it); who does it
//! is said in [`targets`](super::targets).

mod due;
mod held;
mod settle;

use jiff::Timestamp;
use multinic_model::{ClusterId, NodeName};
use serde::Serialize;
use sqlx::{AnyConnection, any::AnyRow};
use strum::{EnumString, IntoStaticStr};

use super::{
    StoreError,
    content::{count, time},
    sql::{Statement, Value, chunks, maybe_number, maybe_text},
};

pub use due::Due;
pub use held::Held;
pub use settle::{Fate, Settled};

/// What is to be done with a node's object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// It is to be as the node config says.
    Apply,
    /// The node has no interfaces: its object, which says so, is to go when its time is over.
    Retire,
    /// It is to go.
    Remove,
}

/// How far the delivery of one node into its cluster has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    /// off: nothing is put into this cluster; pending: not tried since the last change; failing: tried and to be tried
    /// again; delivered.
    pub state: DeliveryPhase,
    /// The revision that is in the cluster, if any was delivered.
    pub delivered_revision: Option<u64>,
    /// When it was delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// How often the cluster refused this node since the last change; not counted while the cluster as a whole fails.
    pub attempts: u64,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last, with this node or with its cluster as a whole.
    pub last_error: Option<String>,
}

/// A delivery's phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryPhase {
    /// Nothing is put into this cluster: it has no target.
    Off,
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

/// Notes everything of the cluster as due: it is to be put somewhere else, or otherwise, than before.
pub(super) async fn want_again(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    now: i64,
) -> Result<(), StoreError> {
    Statement::new("UPDATE deliveries SET delivered_revision = NULL, attempts = 0, last_error = NULL, due_at = ")
        .value(now)
        .text(", action = CASE action WHEN 'retire' THEN 'apply' ELSE action END WHERE provider_id = ")
        .value(cluster.as_str())
        .execute(connection)
        .await?;
    Statement::new("UPDATE targets SET attempts = 0, last_error = NULL, due_at = ")
        .value(now)
        .text(" WHERE provider_id = ")
        .value(cluster.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The agent has cleaned up after this revision of a node: an object that says nothing but that may go now.
pub(super) async fn clean(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    node: &NodeName,
    revision: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    Statement::new("UPDATE deliveries SET due_at = ")
        .value(now.as_microsecond())
        .text(" WHERE action = 'retire' AND due_at IS NOT NULL AND provider_id = ")
        .value(cluster.as_str())
        .text(" AND node_name = ")
        .value(node.as_str())
        .text(" AND wanted_revision <= ")
        .value(revision)
        .execute(connection)
        .await?;
    Ok(())
}

/// A removed node whose object was never sent anywhere needs nobody to take it away.
pub(super) async fn forget_undelivered(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    node: &NodeName,
) -> Result<(), StoreError> {
    Statement::new("DELETE FROM deliveries WHERE provider_id = ")
        .value(cluster.as_str())
        .text(" AND node_name = ")
        .value(node.as_str())
        .text(" AND action = 'remove' AND sent_at IS NULL")
        .execute(connection)
        .await?;
    Ok(())
}

/// The columns of `deliveries` and `targets` in a row; `None` if there is nothing for the node.
pub(super) fn delivery(row: &AnyRow, name: &str) -> Result<Option<DeliveryState>, StoreError> {
    let Some(attempts) = maybe_number(row, "attempts")? else {
        return Ok(None);
    };
    let at = |column| {
        let micros = maybe_number(row, column)?;
        micros.map(|micros| time(name, micros)).transpose()
    };
    let delivered = maybe_number(row, "delivered_revision")?;
    let target = maybe_number(row, "target_attempts")?;
    let state = match target {
        None => DeliveryPhase::Off,
        Some(_) if delivered.is_some() && delivered == maybe_number(row, "wanted_revision")? => {
            DeliveryPhase::Delivered
        }
        Some(0) if attempts == 0 => DeliveryPhase::Pending,
        Some(_) => DeliveryPhase::Failing,
    };
    let is_open = matches!(state, DeliveryPhase::Pending | DeliveryPhase::Failing);
    let last_error = maybe_text(row, "last_error")?.or(maybe_text(row, "target_error")?);
    Ok(Some(DeliveryState {
        state,
        delivered_revision: delivered
            .map(|revision| count("revision", name, revision))
            .transpose()?,
        delivered_at: at("delivered_at")?,
        attempts: count("attempts", name, attempts)?,
        next_attempt_at: at("due_at")?.max(at("target_due_at")?).filter(|_| is_open),
        last_error: last_error.filter(|_| is_open),
    }))
}

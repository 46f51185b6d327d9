//! What became of what was due.

use jiff::SignedDuration;
use multinic_model::{ClusterId, NodeName};
use sqlx::AnyConnection;

use super::Action;
use crate::store::{
    Store, StoreError,
    sql::{Statement, Value, chunks, commit},
};

/// What became of one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    /// The node.
    pub node: NodeName,
    /// What was to be done.
    pub action: Action,
    /// The revision that was in hand; if another is wanted by now, the node stays due.
    pub revision: u64,
    /// How it went.
    pub fate: Fate,
}

/// How it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The object is as it should be.
    Applied,
    /// The object says that the node has no interfaces; it goes when the agent has cleaned up or this time is over.
    Emptied {
        /// How long the agent has.
        retention: SignedDuration,
    },
    /// There is no object (any more).
    Gone,
    /// It has to be tried again.
    Failed {
        /// Why, on one line.
        error: String,
        /// After this time.
        after: SignedDuration,
    },
}

/// The longest error that is kept, in characters.
const MAX_ERROR: usize = 500;

impl Store {
    /// Notes what became of them, all at once.
    pub async fn settle(&self, cluster: &ClusterId, settled: &[Settled]) -> Result<(), StoreError> {
        let now = self.now().as_microsecond();
        let mut transaction = self.database.write(cluster.as_str()).await?;
        let connection = &mut *transaction;
        applied(connection, cluster, now, settled).await?;
        gone(connection, cluster, now, settled).await?;
        for one in settled {
            match &one.fate {
                Fate::Applied | Fate::Gone => {}
                Fate::Emptied { retention } => emptied(connection, cluster, now, one, *retention).await?,
                Fate::Failed { error, after } => failed(connection, cluster, now, one, (error, *after)).await?,
            }
        }
        commit(transaction).await?;
        Ok(())
    }
}

const DELIVERED: &str =
    "UPDATE deliveries SET delivered_revision = wanted_revision, attempts = 0, last_error = NULL, delivered_at = ";

async fn applied(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    now: i64,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let applied = revisions(settled, |one| one.fate == Fate::Applied);
    all(connection, cluster, &applied, || {
        Statement::new(DELIVERED)
            .value(now)
            .text(", due_at = NULL WHERE action = 'apply'")
    })
    .await
}

/// Of a node that was taken out nothing is left; one without interfaces has no object any more.
async fn gone(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    now: i64,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let removed = revisions(settled, |one| one.fate == Fate::Gone && one.action == Action::Remove);
    all(connection, cluster, &removed, || {
        Statement::new("DELETE FROM deliveries WHERE action = 'remove'")
    })
    .await?;
    let retired = revisions(settled, |one| one.fate == Fate::Gone && one.action != Action::Remove);
    all(connection, cluster, &retired, || {
        Statement::new(DELIVERED)
            .value(now)
            .text(", due_at = NULL, sent_at = NULL, action = 'retire' WHERE action <> 'remove'")
    })
    .await
}

/// Does one thing to all of these nodes that are still wanted at these revisions.
async fn all(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    nodes: &[Vec<Value>],
    what: impl Fn() -> Statement + Send + Sync,
) -> Result<(), StoreError> {
    for nodes in chunks(nodes, 2) {
        what()
            .text(" AND provider_id = ")
            .value(cluster.as_str())
            .text(" AND (node_name, wanted_revision) IN (VALUES ")
            .rows(nodes.iter().cloned())
            .text(")")
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// An agent that asks here may have cleaned up before the object says so.
async fn emptied(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    now: i64,
    one: &Settled,
    retention: SignedDuration,
) -> Result<(), StoreError> {
    let over = now.saturating_add(micros(retention));
    let statement = Statement::new(DELIVERED)
        .value(now)
        .text(
            ", action = 'retire', due_at = CASE WHEN EXISTS (SELECT 1 FROM reports r WHERE r.state = 'Configured' \
            AND r.provider_id = deliveries.provider_id AND r.node_name = deliveries.node_name \
            AND r.observed_revision >= deliveries.wanted_revision) THEN ",
        )
        .value(now)
        .text(" ELSE ")
        .value(over)
        .text(" END WHERE action = 'apply'");
    this(statement, cluster, one).execute(connection).await?;
    Ok(())
}

async fn failed(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    now: i64,
    one: &Settled,
    (error, after): (&str, SignedDuration),
) -> Result<(), StoreError> {
    let error: String = error.chars().take(MAX_ERROR).collect();
    let statement = Statement::new("UPDATE deliveries SET attempts = attempts + 1, last_error = ")
        .value(error)
        .text(", due_at = ")
        .value(now.saturating_add(micros(after)))
        .text(" WHERE due_at IS NOT NULL");
    this(statement, cluster, one).execute(connection).await?;
    Ok(())
}

fn this(statement: Statement, cluster: &ClusterId, one: &Settled) -> Statement {
    statement
        .text(" AND provider_id = ")
        .value(cluster.as_str())
        .text(" AND node_name = ")
        .value(one.node.as_str())
        .text(" AND wanted_revision = ")
        .value(revision(one))
}

fn revisions(settled: &[Settled], which: impl Fn(&Settled) -> bool) -> Vec<Vec<Value>> {
    let row = |one: &Settled| vec![Value::from(one.node.as_str()), Value::from(revision(one))];
    settled.iter().filter(|one| which(one)).map(row).collect()
}

fn revision(one: &Settled) -> i64 {
    i64::try_from(one.revision).unwrap_or(i64::MAX)
}

fn micros(time: SignedDuration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

//! Which replica delivers into which cluster, and how that goes for the cluster as a whole.
//!
//! A cluster is one replica's at a time: so its deliveries keep their order, and its failures are counted once. A replica
//! holds what it holds for as long as it says that it lives; there is no row for a cluster without a target.

use jiff::{SignedDuration, Timestamp};
use multinic_model::ClusterId;
use sqlx::any::AnyRow;

use super::{
    Dialect, Store, StoreError,
    content::{count, read, time},
    providers::{DeliverySettings, settings_of},
    sql::{Statement, Value, commit, maybe_number, maybe_text, number, text},
};

/// One process that delivers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ReplicaId(String);

impl ReplicaId {
    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A cluster, seen by those who deliver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The cluster.
    pub cluster: ClusterId,
    /// How it is to be delivered into.
    pub settings: DeliverySettings,
    /// Somebody found a way into it.
    pub is_known: bool,
    /// The replica that delivers into it, as long as it lives.
    pub held_by: Option<ReplicaId>,
    /// How often it failed as a whole, in a row.
    pub attempts: u64,
    /// When something is to be done: a node is due, or the cluster may be tried again.
    pub due_at: Option<Timestamp>,
}

/// What waits in one cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backlog {
    /// The cluster.
    pub cluster: ClusterId,
    /// How many of its nodes.
    pub nodes: u64,
    /// When the oldest change of them was.
    pub oldest: Timestamp,
}

impl Store {
    /// What waits in the clusters that have a target, the oldest first.
    pub async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = Statement::new(
            "SELECT d.provider_id, COUNT(*) AS nodes, MIN(COALESCE(c.changed_at, d.due_at)) AS oldest \
             FROM deliveries d JOIN targets t ON t.provider_id = d.provider_id \
             LEFT JOIN changes c ON c.provider_id = d.provider_id AND c.node_name = d.node_name \
             AND c.revision = d.wanted_revision WHERE d.due_at IS NOT NULL \
             AND (d.delivered_revision IS NULL OR d.delivered_revision <> d.wanted_revision) \
             GROUP BY d.provider_id ORDER BY 3, 1",
        )
        .all(&mut connection)
        .await?;
        let backlog = |row: &AnyRow| {
            let id = text(row, "provider_id")?;
            Ok(Backlog {
                nodes: count("nodes", &id, number(row, "nodes")?)?,
                oldest: time(&id, number(row, "oldest")?)?,
                cluster: read("provider id", &id, &id)?,
            })
        };
        rows.iter().map(backlog).collect()
    }

    /// The name of this process among those that deliver. SQLite serves one process: its next one goes on at once.
    pub fn replica(&self) -> ReplicaId {
        ReplicaId(match self.dialect() {
            Dialect::Sqlite => "the only one".to_owned(),
            Dialect::Postgres => format!("{:032x}", rand::random::<u128>()),
        })
    }

    /// Says that this replica lives for that time from now on; those that died long ago are forgotten.
    pub async fn live(&self, replica: &ReplicaId, lease: SignedDuration) -> Result<(), StoreError> {
        let now = self.now();
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX).as_microsecond();
        let mut transaction = self.database.write("replicas").await?;
        Statement::new("DELETE FROM replicas WHERE alive_until < ")
            .value(now.as_microsecond())
            .text(" AND id <> ")
            .value(replica.as_str())
            .execute(&mut transaction)
            .await?;
        Statement::new("INSERT INTO replicas (id, alive_until) VALUES ")
            .list([replica.as_str().into(), Value::from(until)])
            .text(" ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until")
            .execute(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(())
    }

    /// This replica delivers no more: others may go on at once.
    pub async fn leave(&self, replica: &ReplicaId) -> Result<(), StoreError> {
        let mut transaction = self.database.write("replicas").await?;
        Statement::new("DELETE FROM replicas WHERE id = ")
            .value(replica.as_str())
            .execute(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(())
    }

    /// How many replicas live.
    pub async fn replicas(&self) -> Result<u64, StoreError> {
        let now = self.now().as_microsecond();
        let mut connection = self.database.read().await?;
        let statement = Statement::new("SELECT COUNT(*) AS replicas FROM replicas WHERE alive_until > ").value(now);
        let row = statement.optional(&mut connection).await?;
        let replicas = row.map(|row| maybe_number(&row, "replicas")).transpose()?.flatten();
        count("replicas", "replicas", replicas.unwrap_or_default())
    }

    /// Every cluster, by id.
    pub async fn targets(&self) -> Result<Vec<Target>, StoreError> {
        let now = self.now().as_microsecond();
        let mut connection = self.database.read().await?;
        let rows = Statement::new(
            "SELECT p.id, p.delivery, t.attempts, t.due_at AS target_due_at, r.id AS held_by, \
             (SELECT MIN(d.due_at) FROM deliveries d WHERE d.provider_id = p.id AND d.due_at IS NOT NULL) AS due_at \
             FROM providers p LEFT JOIN targets t ON t.provider_id = p.id \
             LEFT JOIN replicas r ON r.id = t.held_by AND r.alive_until > ",
        )
        .value(now)
        .text(" ORDER BY p.id")
        .all(&mut connection)
        .await?;
        rows.iter().map(target).collect()
    }

    /// Takes a cluster, if nobody that lives holds it; false if somebody does.
    pub async fn hold(&self, cluster: &ClusterId, replica: &ReplicaId) -> Result<bool, StoreError> {
        let now = self.now().as_microsecond();
        let mut transaction = self.database.write(cluster.as_str()).await?;
        let row: [Value; 4] = [cluster.as_str().into(), replica.as_str().into(), 0.into(), now.into()];
        let held = Statement::new("INSERT INTO targets (provider_id, held_by, attempts, due_at) VALUES ")
            .list(row)
            .text(
                " ON CONFLICT (provider_id) DO UPDATE SET held_by = excluded.held_by \
                 WHERE targets.held_by IS NULL OR targets.held_by = excluded.held_by \
                 OR NOT EXISTS (SELECT 1 FROM replicas r WHERE r.id = targets.held_by AND r.alive_until > ",
            )
            .value(now)
            .text(")")
            .execute(&mut transaction)
            .await?
            .rows_affected();
        commit(transaction).await?;
        Ok(held > 0)
    }

    /// Lets a cluster go that this replica holds, for another replica.
    pub async fn let_go(&self, cluster: &ClusterId, replica: &ReplicaId) -> Result<(), StoreError> {
        let statement = Statement::new("UPDATE targets SET held_by = NULL WHERE provider_id = ");
        self.change(statement, cluster, replica).await
    }

    /// The cluster has no target any more.
    pub async fn without_target(&self, cluster: &ClusterId) -> Result<(), StoreError> {
        let mut transaction = self.database.write(cluster.as_str()).await?;
        Statement::new("DELETE FROM targets WHERE provider_id = ")
            .value(cluster.as_str())
            .execute(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(())
    }

    /// The cluster as a whole failed; it is tried again after that time.
    pub async fn target_failed(
        &self,
        cluster: &ClusterId,
        replica: &ReplicaId,
        error: &str,
        after: SignedDuration,
    ) -> Result<(), StoreError> {
        let due = self.now().checked_add(after).unwrap_or(Timestamp::MAX);
        let error: String = error.chars().take(500).collect();
        let statement = Statement::new("UPDATE targets SET attempts = attempts + 1, last_error = ")
            .value(error)
            .text(", due_at = ")
            .value(due.as_microsecond())
            .text(" WHERE provider_id = ");
        self.change(statement, cluster, replica).await
    }

    /// The cluster answers (again), or there is reason to try it at once.
    pub async fn target_works(&self, cluster: &ClusterId, replica: &ReplicaId) -> Result<(), StoreError> {
        let now = self.now().as_microsecond();
        let statement = Statement::new("UPDATE targets SET attempts = 0, last_error = NULL, due_at = ")
            .value(now)
            .text(" WHERE provider_id = ");
        self.change(statement, cluster, replica).await
    }

    async fn change(&self, statement: Statement, cluster: &ClusterId, replica: &ReplicaId) -> Result<(), StoreError> {
        let mut transaction = self.database.write(cluster.as_str()).await?;
        statement
            .value(cluster.as_str())
            .text(" AND held_by = ")
            .value(replica.as_str())
            .execute(&mut transaction)
            .await?;
        commit(transaction).await?;
        Ok(())
    }
}

fn target(row: &AnyRow) -> Result<Target, StoreError> {
    let id = text(row, "id")?;
    let at = |column| {
        let micros = maybe_number(row, column)?;
        micros.map(|micros| time(&id, micros)).transpose()
    };
    let attempts = maybe_number(row, "attempts")?;
    let (due, target_due) = (at("due_at")?, at("target_due_at")?);
    let due_at = match attempts {
        // Even without a node that waits: what fails is tried again.
        Some(1..) => target_due.max(due),
        _ => due,
    };
    Ok(Target {
        settings: settings_of(row, &id)?,
        is_known: attempts.is_some(),
        held_by: maybe_text(row, "held_by")?.map(ReplicaId),
        attempts: count("attempts", &id, attempts.unwrap_or_default())?,
        due_at,
        cluster: read("provider id", &id, &id)?,
    })
}

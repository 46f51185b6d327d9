//! Forgetting what is old: history that nothing points to any more, and answers that nobody will ask for again.

use jiff::{SignedDuration, Timestamp};

use super::{
    Store, StoreError,
    sql::{Statement, commit, number, text},
};

/// How long an answer to a request with an Idempotency-Key is kept.
const ANSWERS: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// Forgets changes older than `history` that are no node's current one, and answers older than a day; how many rows
    /// went. A watch that asks for what was forgotten is told so.
    pub async fn prune(&self, history: SignedDuration) -> Result<u64, StoreError> {
        let now = self.now();
        let mut pruned = self.prune_answers(before(now, ANSWERS)).await?;
        let old = before(now, history);
        let mut connection = self.database.read().await?;
        let rows = Statement::new("SELECT provider_id, MAX(sequence) AS sequence FROM changes c WHERE changed_at < ")
            .value(old)
            .text(
                " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.provider_id = c.provider_id \
             AND n.node_name = c.node_name AND n.revision = c.revision) GROUP BY provider_id",
            )
            .all(&mut connection)
            .await?;
        drop(connection);
        for row in rows {
            pruned += self
                .prune_changes(&text(&row, "provider_id")?, number(&row, "sequence")?, old)
                .await?;
        }
        Ok(pruned)
    }

    async fn prune_answers(&self, before: i64) -> Result<u64, StoreError> {
        let mut transaction = self.database.write("").await?;
        let statement = Statement::new("DELETE FROM idempotency_keys WHERE created_at < ").value(before);
        let pruned = statement.execute(&mut transaction).await?.rows_affected();
        commit(transaction).await?;
        Ok(pruned)
    }

    async fn prune_changes(&self, cluster: &str, through: i64, old: i64) -> Result<u64, StoreError> {
        let mut transaction = self.database.write(cluster).await?;
        Statement::new("UPDATE providers SET pruned_through = ")
            .value(through)
            .text(" WHERE id = ")
            .value(cluster)
            .execute(&mut transaction)
            .await?;
        let pruned = Statement::new("DELETE FROM changes WHERE provider_id = ")
            .value(cluster)
            .text(" AND sequence <= ")
            .value(through)
            .text(" AND changed_at < ")
            .value(old)
            .text(
                " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.provider_id = changes.provider_id \
                 AND n.node_name = changes.node_name AND n.revision = changes.revision)",
            )
            .execute(&mut transaction)
            .await?
            .rows_affected();
        commit(transaction).await?;
        Ok(pruned)
    }
}

fn before(now: Timestamp, age: SignedDuration) -> i64 {
    now.checked_sub(age).unwrap_or(Timestamp::MIN).as_microsecond()
}

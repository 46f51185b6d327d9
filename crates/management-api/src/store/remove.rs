//! Taking a node out: the row goes, its history and the removal of its object from the cluster stay.

use multinic_model::{ClusterId, NodeName};

use super::{
    Registration, Store, StoreError,
    content::Content,
    nodes, outbox, providers,
    sql::{Statement, Value, commit},
};

impl Store {
    /// Takes a node out; the revision that its deletion became.
    pub async fn remove(&self, cluster: &ClusterId, node: &NodeName, caller: &str) -> Result<u64, StoreError> {
        let now = self.now();
        let mut transaction = self.database.write(cluster.as_str()).await?;
        let Some(found) = nodes::one(&mut transaction, cluster, node).await? else {
            return Err(StoreError::UnknownNode {
                provider: cluster.clone(),
                node: node.clone(),
            });
        };
        let sequence = providers::enter(&mut transaction, cluster, Registration::Strict, now).await? + 1;
        let content = Content::new(&found.config)?;
        let revision = found.revision + 1;
        let stored = i64::try_from(revision).unwrap_or(i64::MAX);
        let row: [Value; 9] = [
            cluster.as_str().into(),
            sequence.into(),
            node.as_str().into(),
            stored.into(),
            "deleted".into(),
            content.json.into(),
            content.digest.into(),
            now.as_microsecond().into(),
            caller.into(),
        ];
        Statement::new(
            "INSERT INTO changes (provider_id, sequence, node_name, revision, kind, content, digest, changed_at, \
             changed_by) VALUES ",
        )
        .list(row)
        .execute(&mut transaction)
        .await?;
        Statement::new("DELETE FROM nodes WHERE provider_id = ")
            .value(cluster.as_str())
            .text(" AND node_name = ")
            .value(node.as_str())
            .execute(&mut transaction)
            .await?;
        let wanted = [(Value::from(node.as_str()), stored)];
        outbox::want(&mut transaction, cluster, outbox::Action::Remove, &wanted, now).await?;
        outbox::forget_undelivered(&mut transaction, cluster, node).await?;
        providers::leave(&mut transaction, cluster, sequence, now).await?;
        commit(transaction).await?;
        Ok(revision)
    }
}

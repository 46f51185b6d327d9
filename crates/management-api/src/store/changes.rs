//! The history: one row per change, numbered without gaps within its cluster in the order of the commits. The same rows
//! are what a watch tells.

use jiff::Timestamp;
use multinic_model::{ClusterId, NodeConfig, NodeName};
use serde::Serialize;
use sqlx::any::AnyRow;
use strum::{EnumString, IntoStaticStr};

use super::{
    Store, StoreError,
    content::{count, damaged, parse, read, time},
    sql::{Statement, Value, chunks, number, text},
};

/// What happened to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, EnumString, IntoStaticStr, Serialize, utoipa::ToSchema)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was taken in.
    Created,
    /// Its content changed.
    Updated,
    /// It was taken out.
    Deleted,
}

/// One change of one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its number within the cluster.
    pub sequence: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// The content from then on; of a deletion, the content until then.
    pub config: NodeConfig,
    /// Its number within the node.
    pub revision: u64,
    /// When it happened.
    pub changed_at: Timestamp,
    /// Who did it.
    pub changed_by: String,
}

/// Where a cluster's history stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// The last change.
    pub sequence: u64,
    /// Changes up to this one may have been forgotten.
    pub pruned_through: u64,
}

const CHANGE: &str = "SELECT sequence, node_name, revision, kind, content, changed_at, changed_by FROM changes \
    WHERE provider_id = ";

impl Store {
    /// Where the cluster's history stands; zero for one that is not known.
    pub async fn position(&self, cluster: &ClusterId) -> Result<Position, StoreError> {
        let mut connection = self.database.read().await?;
        let statement =
            Statement::new("SELECT sequence, pruned_through FROM providers WHERE id = ").value(cluster.as_str());
        let Some(row) = statement.optional(&mut connection).await? else {
            return Ok(Position::default());
        };
        Ok(Position {
            sequence: count("sequence", cluster.as_str(), number(&row, "sequence")?)?,
            pruned_through: count("sequence", cluster.as_str(), number(&row, "pruned_through")?)?,
        })
    }

    /// The last change of each of these clusters; those that are not known are left out.
    pub async fn sequences(&self, clusters: &[ClusterId]) -> Result<Vec<(ClusterId, u64)>, StoreError> {
        let mut connection = self.database.read().await?;
        let mut sequences = Vec::with_capacity(clusters.len());
        for clusters in chunks(clusters, 1) {
            let rows = Statement::new("SELECT id, sequence FROM providers WHERE id IN ")
                .list(clusters.iter().map(|cluster| Value::from(cluster.as_str())))
                .all(&mut connection)
                .await?;
            for row in rows {
                let id = text(&row, "id")?;
                sequences.push((
                    read("provider id", &id, &id)?,
                    count("sequence", &id, number(&row, "sequence")?)?,
                ));
            }
        }
        Ok(sequences)
    }

    /// At most `limit` changes of the cluster behind `after`, in order.
    pub async fn changes(&self, cluster: &ClusterId, after: u64, limit: u32) -> Result<Vec<Change>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = Statement::new(CHANGE)
            .value(cluster.as_str())
            .text(" AND sequence > ")
            .value(bound(after))
            .text(" ORDER BY sequence LIMIT ")
            .value(i64::from(limit))
            .all(&mut connection)
            .await?;
        rows.iter().map(change).collect()
    }

    /// At most `limit` changes of one node before the revision `before`, the newest first.
    pub async fn revisions(
        &self,
        cluster: &ClusterId,
        node: &NodeName,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = Statement::new(CHANGE)
            .value(cluster.as_str())
            .text(" AND node_name = ")
            .value(node.as_str())
            .text(" AND revision < ")
            .value(before.map_or(i64::MAX, bound))
            .text(" ORDER BY revision DESC LIMIT ")
            .value(i64::from(limit))
            .all(&mut connection)
            .await?;
        rows.iter().map(change).collect()
    }
}

fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn change(row: &AnyRow) -> Result<Change, StoreError> {
    let name = text(row, "node_name")?;
    let kind = text(row, "kind")?;
    Ok(Change {
        sequence: count("sequence", &name, number(row, "sequence")?)?,
        kind: kind.parse().map_err(|error| damaged("kind", &name, &error))?,
        config: parse(&text(row, "content")?, &name)?,
        revision: count("revision", &name, number(row, "revision")?)?,
        changed_at: time(&name, number(row, "changed_at")?)?,
        changed_by: text(row, "changed_by")?,
    })
}

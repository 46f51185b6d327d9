//! Writing what changed: a handful of statements for the whole batch, whatever its size.

use jiff::Timestamp;
use multinic_model::ClusterId;
use sqlx::AnyConnection;

use super::{Candidate, Outcome, StoreError};
use crate::store::{
    content::Content,
    outbox, providers,
    sql::{Statement, Value, chunks},
};

/// Who changes what when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub cluster: &'a ClusterId,
    pub caller: &'a str,
    pub now: Timestamp,
}

/// A candidate that changes its node.
#[derive(Debug)]
pub(super) struct Change<'a> {
    candidate: &'a Candidate,
    content: &'a Content,
    kind: &'static str,
    revision: i64,
}

impl<'a> Change<'a> {
    /// `None` if the outcome is no change.
    pub fn new(candidate: &'a Candidate, content: &'a Content, outcome: &Outcome) -> Option<Self> {
        let (kind, revision) = match outcome {
            Outcome::Created { revision } => ("created", *revision),
            Outcome::Updated { revision } => ("updated", *revision),
            Outcome::Unchanged { .. } | Outcome::Rejected(_) => return None,
        };
        Some(Self {
            candidate,
            content,
            kind,
            revision: i64::try_from(revision).unwrap_or(i64::MAX),
        })
    }

    fn name(&self) -> Value {
        self.candidate.config.node_name.as_str().into()
    }
}

/// Writes the changes; `sequence` is the cluster's last one.
pub(super) async fn write(
    connection: &mut AnyConnection,
    context: &Context<'_>,
    sequence: i64,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let last = history(connection, context, sequence, changes).await?;
    nodes(connection, context, changes).await?;
    interfaces(connection, context, changes).await?;
    let wanted: Vec<_> = changes.iter().map(|change| (change.name(), change.revision)).collect();
    outbox::want(connection, context.cluster, outbox::Action::Apply, &wanted, context.now).await?;
    providers::leave(connection, context.cluster, last, context.now).await
}

/// Writes the history; the last sequence given out.
async fn history(
    connection: &mut AnyConnection,
    context: &Context<'_>,
    mut sequence: i64,
    changes: &[Change<'_>],
) -> Result<i64, StoreError> {
    let mut next = || {
        sequence += 1;
        sequence
    };
    let rows: Vec<_> = changes.iter().map(|change| (next(), change)).collect();
    for rows in chunks(&rows, 9) {
        let row = |(sequence, change): &(i64, &Change<'_>)| {
            vec![
                context.cluster.as_str().into(),
                (*sequence).into(),
                change.name(),
                change.revision.into(),
                change.kind.into(),
                change.content.json.as_str().into(),
                change.content.digest.as_str().into(),
                context.now.as_microsecond().into(),
                context.caller.into(),
            ]
        };
        Statement::new(
            "INSERT INTO changes (provider_id, sequence, node_name, revision, kind, content, digest, changed_at, \
             changed_by) VALUES ",
        )
        .rows(rows.iter().map(row))
        .execute(connection)
        .await?;
    }
    Ok(sequence)
}

async fn nodes(
    connection: &mut AnyConnection,
    context: &Context<'_>,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let now = context.now.as_microsecond();
    for changes in chunks(changes, 6) {
        let row = |change: &Change<'_>| {
            vec![
                context.cluster.as_str().into(),
                change.name(),
                change.revision.into(),
                change.candidate.config.instance_id.as_str().into(),
                now.into(),
                now.into(),
            ]
        };
        Statement::new(
            "INSERT INTO nodes (provider_id, node_name, revision, instance_id, created_at, updated_at) VALUES ",
        )
        .rows(changes.iter().map(row))
        .text(
            " ON CONFLICT (provider_id, node_name) DO UPDATE SET revision = excluded.revision, \
                 instance_id = excluded.instance_id, updated_at = excluded.updated_at",
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// First the changed nodes let go of everything, then they take what they have now: so that two may swap.
async fn interfaces(
    connection: &mut AnyConnection,
    context: &Context<'_>,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let updated: Vec<_> = changes.iter().filter(|change| change.kind == "updated").collect();
    for updated in chunks(&updated, 1) {
        Statement::new("DELETE FROM interfaces WHERE provider_id = ")
            .value(context.cluster.as_str())
            .text(" AND node_name IN ")
            .list(updated.iter().map(|change| change.name()))
            .execute(connection)
            .await?;
    }
    let rows: Vec<_> = changes
        .iter()
        .flat_map(|change| {
            change
                .candidate
                .config
                .interfaces
                .iter()
                .map(move |interface| (change, interface))
        })
        .collect();
    for rows in chunks(&rows, 5) {
        let rows = rows.iter().map(|(change, interface)| {
            vec![
                context.cluster.as_str().into(),
                change.name(),
                i64::from(interface.id.get()).into(),
                interface.mac_address.to_string().into(),
                interface.address.address().to_string().into(),
            ]
        });
        Statement::new("INSERT INTO interfaces (provider_id, node_name, id, mac_address, address) VALUES ")
            .rows(rows)
            .execute(connection)
            .await?;
    }
    Ok(())
}

//! The configs that belong to no cluster: they cannot be read, and have delivered nothing.

use std::sync::Arc;

use futures::future::join_all;

use super::{Finished, Tools, WriteError};
use crate::{
    engine::Memory,
    hints::EventSource,
    index::Record,
    observe::PassOutcome,
    status::{Visit, trouble::Trouble},
};

/// Reports each on itself; a deleted one may go.
pub(super) async fn run(records: &[Arc<Record>], tools: &Tools, rejected: Option<&Trouble>) -> Finished {
    let visits = records.iter().map(|record| visit(record, tools, rejected));
    let failures: Vec<_> = join_all(visits).await.into_iter().filter_map(Result::err).collect();
    for error in &failures {
        tools.metrics.failure(error.category());
    }
    Finished {
        generation: None,
        memory: Memory::default(),
        outcome: if failures.is_empty() {
            PassOutcome::Complete
        } else {
            PassOutcome::Failed
        },
        again: !failures.is_empty(),
        next: None,
        slow: Vec::new(),
    }
}

async fn visit(record: &Arc<Record>, tools: &Tools, rejected: Option<&Trouble>) -> Result<(), WriteError> {
    if record.deleted_at.is_some() {
        return tools.writer.unmark(record).await;
    }
    let Err(message) = &record.spec else {
        return Ok(());
    };
    let visit = Visit {
        generation: record.generation,
        before: &record.status,
        now: (tools.pace.now)(),
        settings: rejected,
        events: &EventSource::Unknown,
    };
    match tools.writer.status(record, &visit.unreadable(message)).await {
        Ok(_) | Err(WriteError::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

//! A handful of due nodes of one cluster: what takes away first, then what adds, so that an address has left one node
//! before another gets it.

use std::{pin::pin, time::Instant};

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    Backoff, Numbers,
    error::{DeliveryError, Scope},
    prepare::Prepared,
    write::{Done, Which, Writer},
};
use crate::store::{
    Store, StoreError,
    outbox::{Action, Due, Fate, Settled},
    providers::{DeliverySettings, EmptyNodes},
};

/// What a round goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub store: &'a Store,
    pub writer: &'a Writer,
    pub prepared: Prepared,
    pub settings: &'a DeliverySettings,
    pub backoff: Backoff,
    pub numbers: &'a Numbers,
    /// How many requests at once.
    pub width: usize,
}

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub settled: Vec<Settled>,
    /// The cluster as a whole failed; the rest of the round was not tried.
    pub trouble: Option<DeliveryError>,
}

/// When that many nodes in a row are answered with a failure of the server, it is no matter of the nodes.
const HOPELESS: usize = 8;

/// Tries each of them once; ends early when the cluster as a whole fails, and between two nodes when `stop` says so.
pub(super) async fn round(terms: &Terms<'_>, due: Vec<Due>, stop: &CancellationToken) -> Outcome {
    let (away, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(takes_away);
    let mut outcome = Outcome::default();
    for part in [away, rest] {
        if outcome.trouble.is_none() {
            run(terms, part, stop, &mut outcome).await;
        }
    }
    outcome
}

async fn run(terms: &Terms<'_>, due: Vec<Due>, stop: &CancellationToken, outcome: &mut Outcome) {
    let nodes = futures::stream::iter(due).take_until(stop.cancelled());
    let tried = nodes.map(|due| attempt(terms, due)).buffer_unordered(terms.width);
    let mut tried = pin!(tried);
    let mut hopeless = 0;
    while let Some((due, result)) = tried.next().await {
        let fate = match result {
            Ok(None) => continue,
            Ok(Some(fate)) => fate,
            Err(error) => {
                hopeless = if matches!(error, DeliveryError::Failed { .. }) {
                    hopeless + 1
                } else {
                    0
                };
                if error.scope() == Scope::Cluster || hopeless >= HOPELESS {
                    outcome.trouble = Some(error);
                    return;
                }
                failed(terms, &due, &error)
            }
        };
        outcome.settled.push(Settled {
            node: due.node,
            action: due.action,
            revision: due.revision,
            fate,
        });
    }
}

fn takes_away(due: &Due) -> bool {
    due.config.as_ref().is_none_or(|config| config.interfaces.is_empty())
}

fn failed(terms: &Terms<'_>, due: &Due, error: &DeliveryError) -> Fate {
    if due.attempts == 0 {
        tracing::warn!(node = %due.node, revision = due.revision, category = error.category(), "a node waits: {error}");
    }
    Fate::Failed {
        error: error.to_string(),
        after: terms.backoff.after(due.attempts, error.asked()),
    }
}

async fn attempt(terms: &Terms<'_>, due: Due) -> (Due, Result<Option<Fate>, DeliveryError>) {
    let begun = Instant::now();
    let result = one(terms, &due).await;
    terms.numbers.took(begun.elapsed().as_secs_f64());
    terms.numbers.count(match &result {
        Ok((done, _)) => done.into(),
        Err(error) => error.category(),
    });
    (due, result.map(|(_, fate)| fate))
}

/// `None`: something else is wanted by now.
async fn one(terms: &Terms<'_>, due: &Due) -> Result<(Done, Option<Fate>), DeliveryError> {
    let at_once = terms.settings.empty_nodes == EmptyNodes::Delete || !terms.prepared.takes_empty;
    match (&due.config, due.action) {
        (None, _) => gone(terms, due, Which::Any).await,
        (Some(_), Action::Retire) => gone(terms, due, Which::Empty).await,
        (Some(config), _) if config.interfaces.is_empty() && at_once => gone(terms, due, Which::Any).await,
        (Some(config), _) if config.interfaces.is_empty() => match terms.writer.apply(config).await {
            Ok(done) => {
                let retention = terms.settings.empty_retention_hours.time();
                Ok((done, Some(Fate::Emptied { retention })))
            }
            // A definition that nobody may look at, and that wants an interface.
            Err(DeliveryError::Refused { status: 422, message }) if message.contains("spec.interfaces") => {
                gone(terms, due, Which::Any).await
            }
            Err(error) => Err(error),
        },
        (Some(config), _) => Ok((terms.writer.apply(config).await?, Some(Fate::Applied))),
    }
}

/// Asks the store again before it takes anything away: the node may have interfaces again.
async fn gone(terms: &Terms<'_>, due: &Due, which: Which) -> Result<(Done, Option<Fate>), DeliveryError> {
    let wanted = terms.store.is_wanted(terms.writer.cluster(), due).await;
    let store_away = |error: StoreError| DeliveryError::Store {
        category: error.category(),
    };
    if !wanted.map_err(store_away)? {
        return Ok((Done::Superseded, None));
    }
    let done = terms.writer.delete(&due.node, which).await?;
    if done == Done::NotOurs {
        tracing::warn!(node = %due.node, "an object stays: it is not this cluster's");
    }
    Ok((done, Some(Fate::Gone)))
}

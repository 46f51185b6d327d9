//! Watching: server-sent events that can be taken up again where they broke off.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::{Stream, StreamExt};
use multinic_model::{ClusterId, NodeName};
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use crate::{
    feed::News,
    http::{
        App, Fault, Problem,
        auth::{ReadNode, Scope, revoked},
        json::{ChangeJson, NodeJson},
    },
    store::{StoreError, changes::Change, nodes::Filter},
};

/// How many nodes of the beginning are read at once.
const PAGE: u32 = 500;

/// Puts a change into words.
pub(crate) fn tell(change: Change) -> News {
    let node = change.config.node_name.clone();
    let change = ChangeJson::from(change);
    News {
        sequence: change.sequence,
        kind: kind(&change),
        node,
        json: serde_json::to_string(&change).unwrap_or_default(),
    }
}

fn kind(change: &ChangeJson) -> &'static str {
    change.kind.into()
}

/// Answers with a stream that ends with the client, its right to see the cluster, or the server.
pub(super) async fn watch(
    app: &App,
    scope: &Scope<ReadNode>,
    node: Option<NodeName>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let cluster = &scope.cluster;
    let permit = Arc::clone(&app.watchers).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("too many watches are open", 10))?;
    let last = last_event(headers)?;
    let (news, told) = app.feed.subscribe(cluster).await?;
    if let Some(last) = last {
        check(app, cluster, last).await?;
    }
    let watch = Watch {
        app: app.clone(),
        cluster: cluster.clone(),
        node,
        news,
        ready: VecDeque::new(),
        phase: match last {
            Some(last) => Phase::Missed { last },
            None => Phase::Beginning { told, after: None },
        },
        _guard: Guard::new(app, permit),
    };
    let stream = watch
        .stream()
        .take_until(revoked(app.clone(), scope.who()))
        .take_until(app.shutdown.clone().cancelled_owned());
    let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("still here");
    Ok(Sse::new(stream).keep_alive(alive).into_response())
}

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let fault = || {
        Fault::new("last-event-id", "this is no event's id")
            .found(&text)
            .allowed("the id of an event")
    };
    text.parse().map(Some).map_err(|_| Problem::bad(fault()))
}

/// What is forgotten, or was never there (after a restore from a backup), cannot be taken up again.
async fn check(app: &App, cluster: &ClusterId, last: u64) -> Result<(), Problem> {
    let position = app.store.position(cluster).await?;
    if last >= position.pruned_through && last <= position.sequence {
        return Ok(());
    }
    let title = "The changes asked for are forgotten";
    let detail = format!(
        "event {last} is not between {} and {}; begin again without Last-Event-ID",
        position.pruned_through, position.sequence
    );
    Err(Problem::new(StatusCode::GONE, "gone", title, detail))
}

struct Watch {
    app: App,
    cluster: ClusterId,
    node: Option<NodeName>,
    news: broadcast::Receiver<Arc<News>>,
    ready: VecDeque<Event>,
    phase: Phase,
    _guard: Guard,
}

#[derive(Debug)]
enum Phase {
    /// The nodes as they are, page by page; `told` is the last change that they certainly hold.
    Beginning { told: u64, after: Option<NodeName> },
    /// From the database, what came behind `last`.
    Missed { last: u64 },
    /// What is told from now on.
    Live { last: u64 },
}

impl Watch {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        futures::stream::unfold(self, async |mut watch| {
            let event = watch.next().await?;
            Some((Ok(event), watch))
        })
    }

    /// `None` ends the stream; the client comes back with its last event.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let step = match &self.phase {
                Phase::Beginning { told, after } => self.beginning(*told, after.clone()).await,
                Phase::Missed { last } => self.missed(*last).await,
                Phase::Live { last } => match self.news.recv().await {
                    Ok(news) => Ok(self.tell(*last, &news)),
                    Err(broadcast::error::RecvError::Lagged(_)) => Ok(Phase::Missed { last: *last }),
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
            };
            match step {
                Ok(phase) => self.phase = phase,
                Err(error) => {
                    tracing::warn!(category = error.category(), "a watch ends: {error}");
                    return None;
                }
            }
        }
    }

    async fn beginning(&mut self, told: u64, after: Option<NodeName>) -> Result<Phase, StoreError> {
        let filter = Filter {
            node_name: self.node.clone(),
            ..Filter::default()
        };
        let nodes = self
            .app
            .store
            .nodes(&self.cluster, &filter, after.as_ref(), PAGE)
            .await?;
        let is_last = nodes.len() < PAGE as usize;
        let after = nodes.last().map(|node| node.config.node_name.clone());
        for node in nodes {
            let json = serde_json::to_string(&NodeJson::from(node)).unwrap_or_default();
            self.ready.push_back(Event::default().event("node").data(json));
        }
        if !is_last {
            return Ok(Phase::Beginning { told, after });
        }
        let synced = Event::default().event("synced").id(told.to_string()).data("{}");
        self.ready.push_back(synced);
        Ok(Phase::Live { last: told })
    }

    async fn missed(&mut self, mut last: u64) -> Result<Phase, StoreError> {
        let missed = self.app.feed.missed(&self.cluster, last).await?;
        if missed.is_empty() {
            return Ok(Phase::Live { last });
        }
        for news in missed {
            if let Phase::Live { last: now } = self.tell(last, &news) {
                last = now;
            }
        }
        Ok(Phase::Missed { last })
    }

    fn tell(&mut self, last: u64, news: &News) -> Phase {
        if news.sequence <= last {
            return Phase::Live { last };
        }
        if self.node.as_ref().is_none_or(|node| *node == news.node) {
            let event = Event::default()
                .event(news.kind)
                .id(news.sequence.to_string())
                .data(&news.json);
            self.ready.push_back(event);
        }
        Phase::Live { last: news.sequence }
    }
}

/// Counts the watch for as long as it is open.
struct Guard {
    app: App,
    _permit: OwnedSemaphorePermit,
}

impl Guard {
    fn new(app: &App, permit: OwnedSemaphorePermit) -> Self {
        app.metrics.watchers.inc();
        Self {
            app: app.clone(),
            _permit: permit,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.app.metrics.watchers.dec();
    }
}

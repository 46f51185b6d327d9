//! Watches: what happens to the selected objects, one line of JSON for each event, until somebody hangs up.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{answer::Answer, handler::Shared, query::WatchOptions, view::View};
use crate::{
    events,
    kinds::Kind,
    object,
    operations::too_large,
    status::ApiError,
    store::{Change, Event},
};

/// How long a watch lasts when the client does not say.
const LONGEST: Duration = Duration::from_mins(30);

/// How often a quiet watch is told the revision.
const BOOKMARKS: Duration = Duration::from_mins(1);

struct Watch {
    shared: Arc<Shared>,
    kind: Arc<Kind>,
    namespace: Option<String>,
    options: WatchOptions,
    view: View,
    seen: u64,
    changed: watch::Receiver<u64>,
    dropped: watch::Receiver<u64>,
    bookmarks: watch::Receiver<u64>,
    lines: VecDeque<Bytes>,
    ends: Instant,
    next_bookmark: Instant,
    finished: bool,
}

/// Begins a watch.
pub(super) fn begin(
    shared: &Arc<Shared>,
    kind: &Arc<Kind>,
    namespace: Option<String>,
    options: WatchOptions,
    view: View,
) -> Result<Answer, ApiError> {
    let mut state = shared.state();
    let now = Instant::now();
    let mut watch = Watch {
        changed: state.store.subscribe(&kind.table),
        dropped: shared.dropped.subscribe(),
        bookmarks: shared.bookmarks.subscribe(),
        shared: shared.clone(),
        kind: kind.clone(),
        namespace,
        view,
        seen: state.store.revision(),
        lines: VecDeque::new(),
        ends: now + options.timeout.unwrap_or(LONGEST),
        next_bookmark: now + BOOKMARKS,
        finished: false,
        options,
    };
    match watch.options.after {
        Some(after) if after > watch.seen => return Err(too_large(after, watch.seen)),
        Some(after) => watch.seen = after,
        None => {
            let objects = state.list(kind, watch.namespace.as_deref());
            watch.begin_with(&objects);
        }
    }
    drop(state);
    let stream = stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<_, Infallible>(line), watch))
    });
    Ok(Answer::of(200, "application/json", Body::from_stream(stream)))
}

impl Watch {
    fn begin_with(&mut self, objects: &[Arc<Value>]) {
        for object in objects.iter().filter(|object| self.options.selector.selects(object)) {
            self.lines.push_back(self.line(Change::Added.word(), object));
        }
        if self.options.initial_events {
            self.lines.push_back(self.bookmark(true));
        }
    }

    /// The next line, when there is one.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            if self.finished {
                return None;
            }
            self.changed.mark_unchanged();
            self.read();
            if self.lines.is_empty() {
                self.wait().await;
            }
        }
    }

    /// Takes what happened since the last look.
    fn read(&mut self) {
        let state = self.shared.state();
        let events = state.store.events_after(&self.kind.table, self.seen);
        let revision = state.store.revision();
        drop(state);
        match events {
            Ok(events) => {
                let lines: Vec<Bytes> = events.iter().filter_map(|event| self.tell(event)).collect();
                self.lines.extend(lines);
                self.seen = revision;
            }
            Err(oldest) => {
                let error = ApiError::expired(format!("too old resource version: {} ({oldest})", self.seen));
                self.lines.push_back(line_of("ERROR", &error.body()));
                self.finished = true;
            }
        }
    }

    /// Waits until something can have happened.
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.changed.changed() => {}
            _ = self.dropped.changed() => self.finished = true,
            _ = self.bookmarks.changed() => self.add_bookmark(),
            () = sleep_until(self.next_bookmark) => self.add_bookmark(),
            () = sleep_until(self.ends) => {
                self.add_bookmark();
                self.finished = true;
            }
        }
    }

    fn add_bookmark(&mut self) {
        self.next_bookmark = Instant::now() + BOOKMARKS;
        if !self.options.bookmarks {
            return;
        }
        // A bookmark vouches for everything before it.
        self.read();
        if !self.finished {
            self.lines.push_back(self.bookmark(false));
        }
    }

    fn tell(&self, event: &Event) -> Option<Bytes> {
        let selected = |object: &Value| {
            let here = self
                .namespace
                .as_deref()
                .is_none_or(|namespace| object::meta_text(object, "namespace") == namespace);
            here && self.options.selector.selects(object)
        };
        let shown = Event {
            revision: event.revision,
            object: event.object.as_ref().map(|object| events::view(&self.kind, object)),
            previous: event.previous.as_ref().map(|object| events::view(&self.kind, object)),
        };
        let (change, object) = shown.seen_by(selected)?;
        Some(self.line(change.word(), &object))
    }

    fn line(&self, change: &str, object: &Value) -> Bytes {
        match self.view {
            View::Object => line_of(change, object),
            view => line_of(change, &view.object(&self.kind, object)),
        }
    }

    fn bookmark(&self, initial_events_end: bool) -> Bytes {
        let mut object = json!({
            "kind": self.kind.kind, "apiVersion": self.kind.api_version(),
            "metadata": {"resourceVersion": self.seen.to_string()},
        });
        if initial_events_end {
            object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        if self.view == View::Metadata {
            object["kind"] = json!("PartialObjectMetadata");
            object["apiVersion"] = json!("meta.k8s.io/v1");
        }
        line_of("BOOKMARK", &object)
    }
}

fn line_of(change: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{{\"type\":\"{change}\",\"object\":{object}}}\n"))
}

//! The bounded past of one resource.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Value, json};

use crate::object;

/// What a watch tells about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Modified,
    Deleted,
}

impl Change {
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object: what it was and what it became.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub revision: u64,
    pub object: Option<Arc<Value>>,
    pub previous: Option<Arc<Value>>,
}

impl Event {
    /// What a watch that selects some objects sees of this event: an object that begins or ceases to be selected is
    /// added or deleted for it.
    pub fn seen_by(&self, selected: impl Fn(&Value) -> bool) -> Option<(Change, Arc<Value>)> {
        let now = self.object.as_ref().filter(|object| selected(object));
        let before = self.previous.as_ref().filter(|object| selected(object));
        match (before, now) {
            (None, None) => None,
            (None, Some(object)) => Some((Change::Added, object.clone())),
            (Some(_), Some(object)) => Some((Change::Modified, object.clone())),
            (Some(last), None) => Some((Change::Deleted, self.farewell(last))),
        }
    }

    fn farewell(&self, last: &Value) -> Arc<Value> {
        let mut last = last.clone();
        object::set_meta(&mut last, "resourceVersion", json!(self.revision.to_string()));
        Arc::new(last)
    }
}

/// The last events of a resource, oldest first.
#[derive(Debug)]
pub(crate) struct History {
    keep: usize,
    events: VecDeque<Event>,
    /// Every event after this revision is known.
    complete_after: u64,
}

impl History {
    pub fn new(keep: usize, complete_after: u64) -> Self {
        Self {
            keep,
            events: VecDeque::new(),
            complete_after,
        }
    }

    pub fn push(&mut self, event: Event) {
        self.events.push_back(event);
        while self.events.len() > self.keep {
            if let Some(forgotten) = self.events.pop_front() {
                self.complete_after = forgotten.revision;
            }
        }
    }

    pub fn compact(&mut self, revision: u64) {
        self.events.clear();
        self.complete_after = revision;
    }

    /// Events after a revision, or the oldest revision to ask from.
    pub fn after(&self, revision: u64) -> Result<Vec<Event>, u64> {
        if revision < self.complete_after {
            return Err(self.complete_after);
        }
        let first = self.events.partition_point(|event| event.revision <= revision);
        Ok(self.events.range(first..).cloned().collect())
    }
}

//! The objects in memory, their revisions, and the history that watches read.

mod history;
mod pages;

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) use history::{Change, Event, History};
pub(crate) use pages::Pages;

use crate::object;

/// Namespace (empty for what has none) and name.
pub(crate) type Key = (String, String);

/// The objects of one resource.
#[derive(Debug)]
pub(crate) struct Table {
    objects: BTreeMap<Key, Arc<Value>>,
    history: History,
    changed: watch::Sender<u64>,
}

/// Every resource's objects under one counter of revisions.
#[derive(Debug)]
pub(crate) struct Store {
    revision: u64,
    keep: usize,
    tables: BTreeMap<String, Table>,
}

impl Store {
    /// An empty store that keeps `keep` events per resource.
    pub fn new(keep: usize) -> Self {
        Self {
            revision: 1,
            keep,
            tables: BTreeMap::new(),
        }
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The next revision, for what is stored nowhere (a change that no object shows).
    pub fn advance(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Makes room for a resource; its watches can begin from now on.
    pub fn open(&mut self, table: &str) {
        let revision = self.revision;
        let keep = self.keep;
        self.tables.entry(table.to_owned()).or_insert_with(|| Table {
            objects: BTreeMap::new(),
            history: History::new(keep, revision),
            changed: watch::Sender::new(revision),
        });
    }

    pub fn get(&self, table: &str, key: &Key) -> Option<&Arc<Value>> {
        self.tables.get(table)?.objects.get(key)
    }

    /// The objects of a resource, of one namespace or of all, by namespace and name.
    pub fn list(&self, table: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let Some(table) = self.tables.get(table) else {
            return Vec::new();
        };
        match namespace {
            None => table.objects.values().cloned().collect(),
            Some(namespace) => within(&table.objects, namespace)
                .map(|(_, object)| object.clone())
                .collect(),
        }
    }

    /// Whether any resource holds something in this namespace.
    pub fn is_inhabited(&self, namespace: &str) -> bool {
        self.tables
            .values()
            .any(|table| within(&table.objects, namespace).next().is_some())
    }

    /// The keys of everything in a namespace, by resource.
    pub fn inhabitants(&self, namespace: &str) -> Vec<(String, Key)> {
        let of = |(name, table): (&String, &Table)| -> Vec<(String, Key)> {
            within(&table.objects, namespace)
                .map(|(key, _)| (name.clone(), key.clone()))
                .collect()
        };
        self.tables.iter().flat_map(of).collect()
    }

    /// Stores an object under the next revision, which it gets as its resourceVersion.
    pub fn put(&mut self, table: &str, key: Key, mut object: Value) -> Arc<Value> {
        let revision = self.advance();
        object::set_meta(&mut object, "resourceVersion", json!(revision.to_string()));
        let object = Arc::new(object);
        self.open(table);
        if let Some(table) = self.tables.get_mut(table) {
            let previous = table.objects.insert(key, object.clone());
            table.record(revision, Some(object.clone()), previous);
        }
        object
    }

    /// Removes an object; its last event carries the revision of its removal.
    pub fn remove(&mut self, table: &str, key: &Key) -> Option<Arc<Value>> {
        let previous = self.tables.get_mut(table)?.objects.remove(key)?;
        let revision = self.advance();
        let table = self.tables.get_mut(table)?;
        table.record(revision, None, Some(previous.clone()));
        Some(previous)
    }

    /// Forgets the events up to now: watches that begin earlier are told that they are too old.
    pub fn compact(&mut self) {
        let revision = self.revision;
        for table in self.tables.values_mut() {
            table.history.compact(revision);
            table.changed.send_replace(revision);
        }
    }

    /// The events of a resource after a revision.
    ///
    /// # Errors
    ///
    /// The oldest revision that is still known, when events after `revision` have been forgotten.
    pub fn events_after(&self, table: &str, revision: u64) -> Result<Vec<Event>, u64> {
        match self.tables.get(table) {
            Some(table) => table.history.after(revision),
            None => Ok(Vec::new()),
        }
    }

    /// Tells when a resource changes.
    pub fn subscribe(&mut self, table: &str) -> watch::Receiver<u64> {
        self.open(table);
        let sender = self.tables.get(table).map(|table| table.changed.clone());
        sender.unwrap_or_else(|| watch::Sender::new(0)).subscribe()
    }
}

impl Table {
    fn record(&mut self, revision: u64, object: Option<Arc<Value>>, previous: Option<Arc<Value>>) {
        self.history.push(Event {
            revision,
            object,
            previous,
        });
        self.changed.send_replace(revision);
    }
}

fn within<'a>(
    objects: &'a BTreeMap<Key, Arc<Value>>,
    namespace: &'a str,
) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
    let first = (namespace.to_owned(), String::new());
    objects
        .range((Bound::Excluded(first), Bound::Unbounded))
        .take_while(move |(key, _)| key.0 == namespace && !namespace.is_empty())
}

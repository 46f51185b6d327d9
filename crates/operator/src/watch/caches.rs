//! Everything that the watch has seen, and what of it the engine has not taken notice of yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{Stream, StreamExt};
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt, watcher,
        watcher::{Config, Event},
    },
};
use multinic_model::ConfigKey;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Watched, broken::why};
use crate::index::Record;

/// A config that was seen, or is no more.
pub(crate) type Seen = (ConfigKey, Option<Arc<Record>>);

/// The OpenstackConfigs as the API server has them. Cheap to clone; clones share one store.
#[derive(Clone, Debug, Default)]
pub struct Caches {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    store: Mutex<Store>,
    changed: Notify,
    /// The list is to be read anew.
    outdated: Notify,
}

#[derive(Debug, Default)]
struct Store {
    records: BTreeMap<ConfigKey, Arc<Record>>,
    /// What the engine has not seen yet. Several changes of one config are one.
    unseen: BTreeSet<ConfigKey>,
    /// While a list is read: what was in it so far.
    listed: Option<BTreeSet<ConfigKey>>,
    /// The first list was complete.
    synced: bool,
    /// A list was complete that was begun since the engine began.
    current: bool,
    /// The engine began, and the list that is being read was begun before.
    outdated: bool,
}

impl Caches {
    /// A store, and the watch that fills it until `shutdown`. Without a namespace all of them are watched.
    pub fn start(
        client: Client,
        namespace: Option<&str>,
        shutdown: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let caches = Self::default();
        let api: Api<Watched> = match namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        };
        let watch = caches.clone().watch(api, shutdown);
        (caches, watch)
    }

    async fn watch(self, api: Api<Watched>, shutdown: CancellationToken) {
        loop {
            self.lock().outdated = false;
            // A watch of more than five minutes notices a dead connection late.
            let events = watcher(api.clone(), Config::default()).default_backoff();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.shared.outdated.notified() => {}
                () = self.follow(events) => return,
            }
        }
    }

    async fn follow(&self, events: impl Stream<Item = watcher::Result<Event<Watched>>> + Send) {
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.take_in(event),
                Err(error) => {
                    let why = why(&error);
                    tracing::warn!(why, "the watch of OpenstackConfigs broke; it is started anew");
                }
            }
        }
    }

    /// Takes one event of the watch in.
    pub fn take_in(&self, event: Event<Watched>) {
        self.lock().take_in(event);
        self.shared.changed.notify_one();
    }

    /// Whether the first list is complete.
    pub fn is_synced(&self) -> bool {
        self.lock().synced
    }

    /// Waits until there may be something new.
    pub(crate) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Whether the list is complete that was begun when the engine did.
    pub(crate) fn is_current(&self) -> bool {
        self.lock().current
    }

    /// A new engine has seen nothing yet, and what the watch has seen may be old: what another replica has recorded until a
    /// moment ago is known only from a list that begins now.
    pub(crate) fn begin(&self) {
        let mut store = self.lock();
        store.unseen = store.records.keys().cloned().collect();
        store.current = false;
        store.outdated = true;
        self.shared.outdated.notify_one();
    }

    /// What the engine has not seen yet; nothing before the list is complete, as an incomplete one looks like configs that
    /// were deleted.
    pub(crate) fn unseen(&self) -> Vec<Seen> {
        let mut store = self.lock();
        if !store.current {
            return Vec::new();
        }
        let unseen = std::mem::take(&mut store.unseen);
        unseen
            .into_iter()
            .map(|key| {
                let record = store.records.get(&key).cloned();
                (key, record)
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn take_in(&mut self, event: Event<Watched>) {
        match event {
            Event::Init => self.listed = Some(BTreeSet::new()),
            Event::InitApply(object) => {
                if let Some(key) = self.put(object)
                    && let Some(listed) = &mut self.listed
                {
                    listed.insert(key);
                }
            }
            Event::InitDone => self.end_of_list(),
            Event::Apply(object) => drop(self.put(object)),
            Event::Delete(object) => {
                if let Some(record) = Record::new(object) {
                    self.remove(&record.key);
                }
            }
        }
    }

    fn put(&mut self, object: Watched) -> Option<ConfigKey> {
        let record = Record::new(object)?;
        let key = record.key.clone();
        if self.records.get(&key).is_none_or(|known| **known != record) {
            self.records.insert(key.clone(), Arc::new(record));
            self.unseen.insert(key.clone());
        }
        Some(key)
    }

    fn remove(&mut self, key: &ConfigKey) {
        if self.records.remove(key).is_some() {
            self.unseen.insert(key.clone());
        }
    }

    /// What a complete list does not have is no more.
    fn end_of_list(&mut self) {
        let listed = self.listed.take().unwrap_or_default();
        let gone: Vec<_> = self
            .records
            .keys()
            .filter(|key| !listed.contains(key))
            .cloned()
            .collect();
        for key in gone {
            self.remove(&key);
        }
        self.synced = true;
        self.current = !self.outdated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> Watched {
        let metadata = serde_json::json!({"name": name, "namespace": "ns", "uid": name, "resourceVersion": "1"});
        serde_json::from_value(serde_json::json!({"metadata": metadata, "spec": {}})).unwrap()
    }

    fn list(caches: &Caches, names: &[&str]) {
        caches.take_in(Event::Init);
        for name in names {
            caches.take_in(Event::InitApply(object(name)));
        }
        caches.take_in(Event::InitDone);
    }

    fn names(seen: Vec<Seen>) -> Vec<String> {
        seen.into_iter().map(|(key, _)| key.name).collect()
    }

    #[test]
    fn an_engine_sees_nothing_before_a_list_that_began_after_it() {
        let caches = Caches::default();
        list(&caches, &["a"]);
        caches.take_in(Event::Init);
        caches.begin();
        caches.take_in(Event::InitApply(object("b")));
        caches.take_in(Event::InitDone);
        assert!(caches.is_synced() && !caches.is_current());
        assert!(caches.unseen().is_empty());
        // As the watch does when it starts anew.
        caches.lock().outdated = false;
        list(&caches, &["b", "c"]);
        assert!(caches.is_current());
        assert_eq!(names(caches.unseen()), ["a", "b", "c"]);
        assert!(caches.unseen().is_empty());
    }
}

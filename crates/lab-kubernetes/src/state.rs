//! Everything the server knows, behind one lock.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use crate::{
    events,
    kinds::{Kind, Registry},
    object,
    status::ApiError,
    store::{Key, Pages, Store},
};

/// The namespaces that exist from the beginning.
const FIRST_NAMESPACES: [&str; 2] = ["default", "kube-system"];

#[derive(Debug)]
pub(crate) struct State {
    pub store: Store,
    pub registry: Registry,
    pub pages: Pages,
    /// Namespaces that are being emptied, and definitions whose objects are being removed (`plural.group`).
    pub ending: BTreeSet<Ending>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Namespace(String),
    Definition(String),
}

/// An object, or where one could be.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub kind: Arc<Kind>,
    /// Empty for kinds without namespaces.
    pub namespace: String,
    pub name: String,
    /// Whether it is about the status alone.
    pub status: bool,
}

impl Target {
    pub fn key(&self) -> Key {
        (self.namespace.clone(), self.name.clone())
    }

    pub fn not_found(&self) -> ApiError {
        ApiError::not_found(&self.kind.resource(), &self.name)
    }
}

impl State {
    pub fn new(keep: usize) -> Self {
        let mut state = Self {
            store: Store::new(keep),
            registry: Registry::new(),
            pages: Pages::default(),
            ending: BTreeSet::new(),
        };
        let tables: Vec<String> = state.registry.all().map(|kind| kind.table.clone()).collect();
        for table in &tables {
            state.store.open(table);
        }
        for name in FIRST_NAMESPACES {
            let namespace = json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {
                    "name": name, "uid": random::uid(), "creationTimestamp": object::now(),
                    "labels": {"kubernetes.io/metadata.name": name},
                },
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            });
            state
                .store
                .put("/namespaces", (String::new(), name.to_owned()), namespace);
        }
        state
    }

    /// The object at a target, as its kind shows it.
    pub fn find(&self, target: &Target) -> Option<Arc<Value>> {
        let found = self.store.get(&target.kind.table, &target.key())?;
        Some(events::view(&target.kind, found))
    }

    /// The objects of a kind, as the kind shows them.
    pub fn list(&self, kind: &Kind, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let objects = self.store.list(&kind.table, namespace);
        objects.iter().map(|object| events::view(kind, object)).collect()
    }

    pub fn namespace(&self, name: &str) -> Option<&Arc<Value>> {
        self.store.get("/namespaces", &(String::new(), name.to_owned()))
    }
}

/// What is made up.
pub(crate) mod random {
    use rand::RngExt;

    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

    pub(crate) fn uid() -> String {
        uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string()
    }

    /// The end of a generated name.
    pub(crate) fn suffix() -> String {
        let mut rng = rand::rng();
        (0..5)
            .map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]))
            .collect()
    }
}

//! The end of namespaces and definitions: everything in them is deleted first, and they go when it is gone.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    definitions::CLEANUP,
    object,
    state::{Ending, State},
    store::Key,
};

impl State {
    /// Deletes what is left in whatever is ending, and ends what is empty. Called after every write that could have
    /// removed something.
    pub fn settle(&mut self) {
        for ending in self.ending.clone() {
            match &ending {
                Ending::Namespace(name) => self.settle_namespace(name),
                Ending::Definition(name) => self.settle_definition(name),
            }
        }
    }

    fn settle_namespace(&mut self, name: &str) {
        for (table, key) in self.store.inhabitants(name) {
            self.end(&table, &key);
        }
        if !self.store.is_inhabited(name) {
            self.ending.remove(&Ending::Namespace(name.to_owned()));
            self.store.remove("/namespaces", &(String::new(), name.to_owned()));
        }
    }

    fn settle_definition(&mut self, name: &str) {
        let Some(kind) = self.registry.by_resource(name).cloned() else {
            return;
        };
        let keys = |objects: Vec<Arc<Value>>| -> Vec<Key> {
            objects
                .iter()
                .map(|o| {
                    (
                        object::meta_text(o, "namespace").to_owned(),
                        object::meta_text(o, "name").to_owned(),
                    )
                })
                .collect()
        };
        for key in keys(self.store.list(&kind.table, None)) {
            self.end(&kind.table, &key);
        }
        if self.store.list(&kind.table, None).is_empty() {
            self.ending.remove(&Ending::Definition(name.to_owned()));
            self.registry.remove(&kind.group, &kind.plural);
            let table = "apiextensions.k8s.io/customresourcedefinitions";
            self.store.remove(table, &(String::new(), name.to_owned()));
        }
    }

    /// Deletes one object: at once, or when its finalizers are gone.
    fn end(&mut self, table: &str, key: &Key) {
        let Some(object) = self.store.get(table, key).cloned() else {
            return;
        };
        if !object::has_finalizers(&object) {
            self.store.remove(table, key);
        } else if !object::is_terminating(&object) {
            self.store.put(table, key.clone(), terminating(&object));
        }
    }
}

/// The object with the marks of a deletion that waits for finalizers.
pub(crate) fn terminating(object: &Value) -> Value {
    let mut object = object.clone();
    object::set_meta(&mut object, "deletionTimestamp", json!(object::now()));
    object::set_meta(&mut object, "deletionGracePeriodSeconds", json!(0));
    if let Some(generation) = object::meta(&object, "generation").and_then(Value::as_u64) {
        object::set_meta(&mut object, "generation", json!(generation + 1));
    }
    object
}

/// A namespace with the marks of its end.
pub(crate) fn terminating_namespace(namespace: &Value) -> Value {
    let mut namespace = namespace.clone();
    object::set_meta(&mut namespace, "deletionTimestamp", json!(object::now()));
    namespace["status"]["phase"] = json!("Terminating");
    namespace
}

/// A definition with the marks of its end.
pub(crate) fn terminating_definition(definition: &Value) -> Value {
    let mut definition = definition.clone();
    object::set_meta(&mut definition, "deletionTimestamp", json!(object::now()));
    object::set_meta(&mut definition, "finalizers", json!([CLEANUP]));
    definition
}

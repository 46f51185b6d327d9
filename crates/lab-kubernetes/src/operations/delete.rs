//! Deleting objects: at once, or when their finalizers are gone.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    endings::{terminating, terminating_definition, terminating_namespace},
    object,
    selectors::Selector,
    state::{Ending, State, Target},
    status::ApiError,
};

/// `DeleteOptions`, as far as they make a difference here.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub dry_run: bool,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

/// What became of an object that was deleted.
#[derive(Debug)]
pub(crate) enum Deleted {
    /// It is gone.
    Gone(Arc<Value>),
    /// It waits for its finalizers.
    Waits(Arc<Value>),
}

impl State {
    pub fn delete(&mut self, target: &Target, options: &DeleteOptions) -> Result<Deleted, ApiError> {
        let live = self.find(target).ok_or_else(|| target.not_found())?;
        options.check(target, &live)?;
        let deleted = self.delete_live(target, &live, options.dry_run);
        if !options.dry_run {
            self.settle();
        }
        Ok(deleted)
    }

    /// Deletes what a selector selects and returns it.
    pub fn delete_all(
        &mut self,
        target: &Target,
        namespace: Option<&str>,
        selector: &Selector,
        options: &DeleteOptions,
    ) -> Vec<Arc<Value>> {
        let mut objects = self.list(&target.kind, namespace);
        objects.retain(|object| selector.selects(object));
        for object in &objects {
            let target = Target {
                namespace: object::meta_text(object, "namespace").to_owned(),
                name: object::meta_text(object, "name").to_owned(),
                ..target.clone()
            };
            self.delete_live(&target, object, options.dry_run);
        }
        if !options.dry_run {
            self.settle();
        }
        objects
    }

    fn delete_live(&mut self, target: &Target, live: &Arc<Value>, dry_run: bool) -> Deleted {
        let marked = if target.kind.is_namespace() {
            self.begin_to_end(dry_run, Ending::Namespace(target.name.clone()));
            terminating_namespace(live)
        } else if target.kind.is_definition() {
            self.begin_to_end(dry_run, Ending::Definition(target.name.clone()));
            terminating_definition(live)
        } else if object::has_finalizers(live) {
            terminating(live)
        } else {
            if !dry_run {
                self.store.remove(&target.kind.table, &target.key());
            }
            return Deleted::Gone(live.clone());
        };
        if object::is_terminating(live) {
            return Deleted::Waits(live.clone());
        }
        if dry_run {
            return Deleted::Waits(Arc::new(marked));
        }
        Deleted::Waits(self.store.put(&target.kind.table, target.key(), marked))
    }

    fn begin_to_end(&mut self, dry_run: bool, ending: Ending) {
        if !dry_run {
            self.ending.insert(ending);
        }
    }
}

impl DeleteOptions {
    fn check(&self, target: &Target, live: &Value) -> Result<(), ApiError> {
        let conflict = |what: &str, wanted: &str, found: &str| {
            let detail =
                format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}");
            Err(ApiError::conflict(&target.kind.resource(), &target.name, &detail))
        };
        match (&self.uid, object::meta_text(live, "uid")) {
            (Some(uid), found) if uid != found => return conflict("UID", uid, found),
            _ => {}
        }
        match (&self.resource_version, object::meta_text(live, "resourceVersion")) {
            (Some(version), found) if version != found => conflict("ResourceVersion", version, found),
            _ => Ok(()),
        }
    }

    /// Reads the body of a deletion.
    pub fn parse(body: &Value) -> Self {
        let text = |key: &str| object::text(body, &["preconditions", key]).map(str::to_owned);
        Self {
            dry_run: body["dryRun"] == json!(["All"]),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
        }
    }
}

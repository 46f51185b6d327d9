//! Changing objects: the way every update, patch and apply goes once it is clear what the object shall be.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{WriteOptions, Written, create::fill_head, validate::validate, with_warnings};
use crate::{
    apply, definitions, object,
    state::{State, Target},
    status::{ApiError, FieldError},
    strategy,
};

/// What of the metadata a client cannot change.
const KEPT: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
];

impl State {
    /// Replaces an object.
    pub fn update(&mut self, target: &Target, mut body: Value, options: &WriteOptions) -> Result<Written, ApiError> {
        fill_head(target, &mut body)?;
        let live = self.find(target).ok_or_else(|| missing(target))?;
        let needs_version = target.kind.custom().is_some()
            || target.kind.is_definition()
            || target.kind.is("coordination.k8s.io", "leases");
        if needs_version && object::revision(&body) == 0 {
            let error = FieldError::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
            return Err(ApiError::invalid(
                &target.kind.kind,
                &target.kind.group,
                &target.name,
                &[error],
            ));
        }
        self.modify(target, &live, &body, options, false)
    }

    /// Makes the stored object what `wanted` says; `owned` when `wanted` already records its owners.
    pub(super) fn modify(
        &mut self,
        target: &Target,
        live: &Arc<Value>,
        wanted: &Value,
        options: &WriteOptions,
        owned: bool,
    ) -> Result<Written, ApiError> {
        check_preconditions(target, live, wanted)?;
        let decoded = target.kind.decode(wanted)?;
        let warnings = if owned {
            Vec::new()
        } else {
            options.judge(target, &decoded.unknown)?
        };
        let object = changed(target, live, decoded.object, options, owned);
        let done = |object: Arc<Value>| Written {
            object,
            created: false,
            warnings: warnings.clone(),
        };
        if object::same_but_times(live, &object) {
            return Ok(done(live.clone()));
        }
        validate(&target.kind, &object, Some(live)).map_err(|error| with_warnings(error, &warnings))?;
        let defined = if target.status {
            None
        } else {
            definitions::defined_by(&target.kind, &object)?
        };
        if options.dry_run {
            return Ok(done(Arc::new(object)));
        }
        let stored = self.keep(target, object);
        if let Some(kind) = defined {
            self.serve(kind);
        }
        Ok(done(stored))
    }

    /// Stores a changed object, unless the change was the last that its deletion waited for.
    fn keep(&mut self, target: &Target, object: Value) -> Arc<Value> {
        let ends = object::is_terminating(&object)
            && !object::has_finalizers(&object)
            && !target.kind.is_namespace()
            && !target.kind.is_definition();
        if !ends {
            return self.store.put(&target.kind.table, target.key(), object);
        }
        self.store.remove(&target.kind.table, &target.key());
        self.settle();
        Arc::new(object)
    }
}

/// What an update of nothing is answered with: some kinds would be created by it.
fn missing(target: &Target) -> ApiError {
    let kind = &target.kind;
    let creates = kind.group == "rbac.authorization.k8s.io"
        || [("coordination.k8s.io", "leases"), ("", "services")]
            .iter()
            .any(|(group, plural)| kind.is(group, plural))
        || kind.table == "events";
    if creates && !target.status {
        return ApiError::not_implemented(format!("creating {} by an update", kind.plural));
    }
    target.not_found()
}

fn check_preconditions(target: &Target, live: &Value, wanted: &Value) -> Result<(), ApiError> {
    let resource = target.kind.resource();
    let version = object::meta_text(wanted, "resourceVersion");
    if !matches!(version, "" | "0") && version != object::meta_text(live, "resourceVersion") {
        return Err(ApiError::modified(&resource, &target.name));
    }
    let (uid, own) = (object::meta_text(wanted, "uid"), object::meta_text(live, "uid"));
    if !uid.is_empty() && uid != own {
        let detail = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {own}");
        return Err(ApiError::conflict(&resource, &target.name, &detail));
    }
    if object::meta_text(wanted, "name") != target.name {
        let name = object::meta_text(wanted, "name");
        let message = format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            target.name
        );
        return Err(ApiError::bad_request(message));
    }
    Ok(())
}

/// What the object becomes: only this endpoint's part of what is wanted, and nothing that clients cannot change.
fn changed(target: &Target, live: &Value, wanted: Value, options: &WriteOptions, owned: bool) -> Value {
    let managed = object::meta(&wanted, "managedFields").cloned().unwrap_or(Value::Null);
    let mut object = own_part(target, live, wanted);
    for key in KEPT {
        object::copy_meta(&mut object, live, key);
    }
    strategy::prepare(&target.kind, &mut object);
    strategy::finish(&target.kind, &mut object);
    if target.kind.has_generation && spec_differs(target, live, &object) {
        let generation = object::meta(live, "generation")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        object::set_meta(&mut object, "generation", json!(generation + 1));
    }
    if owned {
        object::set_meta(&mut object, "managedFields", managed);
    } else {
        apply::update(&options.ownership(target, false), Some(live), &mut object);
    }
    object
}

fn own_part(target: &Target, live: &Value, wanted: Value) -> Value {
    if target.status {
        let mut object = live.clone();
        object::copy(&mut object, &wanted, "status");
        return object;
    }
    let mut object = wanted;
    if target.kind.has_status {
        object::copy(&mut object, live, "status");
    }
    object
}

fn spec_differs(target: &Target, live: &Value, object: &Value) -> bool {
    let rest = |value: &Value| -> Vec<(String, Value)> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| *key != "metadata" && !(target.kind.has_status && *key == "status"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    !target.status && rest(live) != rest(object)
}

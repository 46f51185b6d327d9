//! Creating objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{WriteOptions, Written, validate::validate, with_warnings};
use crate::{
    apply, definitions, object,
    state::{State, Target, random},
    status::ApiError,
    strategy,
};

impl State {
    /// Creates an object; its name is the target's, the body's, or generated.
    pub fn create(&mut self, target: &Target, body: Value, options: &WriteOptions) -> Result<Written, ApiError> {
        let mut target = target.clone();
        let body = new_object(&mut target, body)?;
        self.check_room(&target)?;
        let decoded = target.kind.decode(&body)?;
        let warnings = options.judge(&target, &decoded.unknown)?;
        let object = fresh(&target, decoded.object);
        self.store_new(&target, object, options, false)
            .map_err(|error| with_warnings(error, &warnings))
            .map(|object| Written {
                object,
                created: true,
                warnings,
            })
    }

    /// Creates the object that is applied to nothing.
    pub(super) fn create_applied(
        &mut self,
        target: &Target,
        applied: &Value,
        options: &WriteOptions,
    ) -> Result<Written, ApiError> {
        self.check_room(target)?;
        let owned = apply::apply(&options.ownership(target, true), None, applied, options.force)?;
        let decoded = target.kind.decode(&owned)?;
        let object = fresh(target, decoded.object);
        let object = self.store_new(target, object, options, true)?;
        Ok(Written {
            object,
            created: true,
            warnings: Vec::new(),
        })
    }

    fn check_room(&self, target: &Target) -> Result<(), ApiError> {
        if !target.kind.namespaced {
            return Ok(());
        }
        let namespaces = crate::status::GroupResource {
            group: String::new(),
            resource: "namespaces".to_owned(),
        };
        match self.namespace(&target.namespace) {
            None => Err(ApiError::not_found(&namespaces, &target.namespace)),
            Some(namespace) if object::is_terminating(namespace) => Err(ApiError::terminating(
                &target.kind.resource(),
                &target.name,
                &target.namespace,
            )),
            Some(_) => Ok(()),
        }
    }

    fn store_new(
        &mut self,
        target: &Target,
        mut object: Value,
        options: &WriteOptions,
        owned: bool,
    ) -> Result<Arc<Value>, ApiError> {
        strategy::prepare(&target.kind, &mut object);
        if !owned {
            apply::update(&options.ownership(target, false), None, &mut object);
        }
        strategy::finish(&target.kind, &mut object);
        validate(&target.kind, &object, None)?;
        let defined = definitions::defined_by(&target.kind, &object)?;
        if self.find(target).is_some() {
            return Err(ApiError::already_exists(&target.kind.resource(), &target.name));
        }
        if options.dry_run {
            return Ok(Arc::new(object));
        }
        if target.kind.is_definition() {
            definitions::fresh_status(&mut object);
        }
        let stored = self.store.put(&target.kind.table, target.key(), object);
        if let Some(kind) = defined {
            self.establish(&target.kind, &target.key());
            self.serve(kind);
        }
        Ok(stored)
    }
}

/// The object that a body describes, with the name that it gets.
fn new_object(target: &mut Target, mut body: Value) -> Result<Value, ApiError> {
    fill_head(target, &mut body)?;
    if object::revision(&body) != 0 {
        return Err(ApiError::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let prefix = object::meta_text(&body, "generateName");
    if object::meta_text(&body, "name").is_empty() && !prefix.is_empty() {
        let name = format!("{prefix}{}", random::suffix());
        object::set_meta(&mut body, "name", json!(name));
    }
    object::meta_text(&body, "name").clone_into(&mut target.name);
    Ok(body)
}

/// Fills in and checks what the path already says about the object.
pub(super) fn fill_head(target: &Target, body: &mut Value) -> Result<(), ApiError> {
    if !body.is_object() {
        return Err(ApiError::bad_request(
            "the object provided is unrecognized (must be of type object)",
        ));
    }
    for (key, expected, what) in [
        ("apiVersion", target.kind.api_version(), "API version"),
        ("kind", target.kind.kind.clone(), "kind"),
    ] {
        match body.get(key).and_then(Value::as_str) {
            None | Some("") => body[key] = json!(expected),
            Some(found) if found != expected => {
                return Err(ApiError::bad_request(format!(
                    "the {what} in the data ({found}) does not match the expected {what} ({expected})"
                )));
            }
            Some(_) => {}
        }
    }
    match object::meta_text(body, "namespace") {
        _ if !target.kind.namespaced => object::set_meta(body, "namespace", Value::Null),
        "" => object::set_meta(body, "namespace", json!(target.namespace)),
        found if found != target.namespace => {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(ApiError::bad_request(message));
        }
        _ => {}
    }
    Ok(())
}

/// The object with the metadata of a new one, and without what it cannot begin with.
fn fresh(target: &Target, mut object: Value) -> Value {
    if let (true, Some(map)) = (target.kind.has_status, object.as_object_mut()) {
        map.remove("status");
    }
    for key in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
    ] {
        object::set_meta(&mut object, key, Value::Null);
    }
    object::set_meta(&mut object, "uid", json!(random::uid()));
    object::set_meta(&mut object, "creationTimestamp", json!(object::now()));
    let generation = if target.kind.has_generation {
        json!(1)
    } else {
        Value::Null
    };
    object::set_meta(&mut object, "generation", generation);
    object
}

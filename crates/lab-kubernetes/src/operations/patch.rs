//! Patching and applying.

use serde_json::Value;

use super::{WriteOptions, Written, create::fill_head};
use crate::{
    apply, object, patch,
    state::{State, Target},
    status::ApiError,
};

/// The media types of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchFormat {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// A patch and its format.
#[derive(Debug)]
pub(crate) struct Patch {
    pub format: PatchFormat,
    pub body: Value,
}

impl State {
    pub fn patch(&mut self, target: &Target, patch: &Patch, options: &WriteOptions) -> Result<Written, ApiError> {
        if patch.format == PatchFormat::Apply {
            return self.apply(target, patch.body.clone(), options);
        }
        let live = self.find(target).ok_or_else(|| target.not_found())?;
        let wanted = match patch.format {
            PatchFormat::Json => patch::json_patch(&live, &patch.body)?,
            PatchFormat::Strategic => {
                let lists = target.kind.builtin().map_or(&[] as &[_], |builtin| builtin.lists);
                patch::strategic(&live, &patch.body, lists)?
            }
            PatchFormat::Merge | PatchFormat::Apply => patch::merge(&live, &patch.body),
        };
        self.modify(target, &live, &wanted, options, false)
    }

    fn apply(&mut self, target: &Target, mut applied: Value, options: &WriteOptions) -> Result<Written, ApiError> {
        if object::meta(&applied, "managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(ApiError::bad_request("metadata.managedFields must be nil"));
        }
        fill_head(target, &mut applied)?;
        if object::meta_text(&applied, "name").is_empty() {
            object::set_meta(&mut applied, "name", Value::from(target.name.clone()));
        }
        let Some(live) = self.find(target) else {
            return self.apply_to_nothing(target, &applied, options);
        };
        let wanted = apply::apply(&options.ownership(target, true), Some(&live), &applied, options.force)?;
        self.modify(target, &live, &wanted, options, true)
    }

    fn apply_to_nothing(
        &mut self,
        target: &Target,
        applied: &Value,
        options: &WriteOptions,
    ) -> Result<Written, ApiError> {
        if target.status {
            return Err(target.not_found());
        }
        if object::revision(applied) != 0 {
            let detail = "uid mismatch or a resourceVersion of an object that does not exist";
            return Err(ApiError::conflict(&target.kind.resource(), &target.name, detail));
        }
        self.create_applied(target, applied, options)
    }
}

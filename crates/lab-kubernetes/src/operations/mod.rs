//! What can be done with objects.

mod create;
mod delete;
mod modify;
mod patch;
mod read;
mod validate;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use delete::{DeleteOptions, Deleted};
pub(crate) use patch::{Patch, PatchFormat};
pub(crate) use read::{ListOptions, Listed, VersionMatch, too_large};

use crate::{
    apply::{Manager, Ownership},
    object,
    state::Target,
    status::ApiError,
};

/// What happens to unknown fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// How a write is meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteOptions {
    pub manager: String,
    pub dry_run: bool,
    pub force: bool,
    pub validation: FieldValidation,
}

/// A successful write.
#[derive(Debug)]
pub(crate) struct Written {
    pub object: Arc<Value>,
    pub created: bool,
    pub warnings: Vec<String>,
}

impl WriteOptions {
    fn ownership<'a>(&self, target: &'a Target, applies: bool) -> Ownership<'a> {
        Ownership {
            kind: &target.kind,
            manager: Manager {
                name: self.manager.clone(),
                applies,
                api_version: target.kind.api_version(),
                subresource: if target.status {
                    "status".to_owned()
                } else {
                    String::new()
                },
            },
            now: object::now(),
        }
    }

    /// Warnings about unknown fields, or their refusal.
    fn judge(&self, target: &Target, unknown: &[String]) -> Result<Vec<String>, ApiError> {
        let unknown: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
        match self.validation {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Warn => Ok(unknown),
            FieldValidation::Strict if unknown.is_empty() => Ok(Vec::new()),
            FieldValidation::Strict => {
                let (kind, version) = (&target.kind.kind, &target.kind.version);
                Err(ApiError::bad_request(format!(
                    "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {}",
                    unknown.join(", ")
                )))
            }
        }
    }
}

/// Adds the warnings that a refused write would have had.
fn with_warnings(mut error: ApiError, warnings: &[String]) -> ApiError {
    error.warnings.extend(warnings.iter().cloned());
    error
}

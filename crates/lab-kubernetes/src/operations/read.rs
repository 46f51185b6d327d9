//! Lists: selected, paged, at a revision.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{kinds::Kind, object, selectors::Selector, state::State, status::ApiError};

/// `resourceVersionMatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionMatch {
    Exact,
    NotOlderThan,
}

/// How a list is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListOptions {
    pub selector: Selector,
    pub limit: Option<usize>,
    pub token: String,
    pub resource_version: Option<u64>,
    pub version_match: Option<VersionMatch>,
}

/// A list, or a page of one.
#[derive(Debug)]
pub(crate) struct Listed {
    pub objects: Vec<Arc<Value>>,
    pub revision: u64,
    pub token: String,
    pub remaining: Option<usize>,
}

impl State {
    pub fn list_selected(
        &mut self,
        kind: &Kind,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<Listed, ApiError> {
        let scope = format!("{}/{}", kind.api_version(), namespace.unwrap_or_default());
        let (all, revision, start) = if options.token.is_empty() {
            self.check_revision(options)?;
            (Arc::new(self.list(kind, namespace)), self.store.revision(), None)
        } else {
            let (revision, start) = read_token(&options.token)?;
            let all = self.pages.find(&scope, revision).ok_or_else(expired_token)?;
            (all, revision, Some(start))
        };
        let rest = all
            .iter()
            .filter(|object| start.as_ref().is_none_or(|start| place(object) > *start));
        let mut selected = rest.filter(|object| options.selector.selects(object));
        let limit = options.limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let objects: Vec<Arc<Value>> = selected.by_ref().take(limit).cloned().collect();
        let remaining = selected.count();
        let token = match objects.last() {
            Some(last) if remaining > 0 => {
                self.pages.keep(&scope, revision, all.clone());
                write_token(revision, &place(last))
            }
            _ => String::new(),
        };
        Ok(Listed {
            objects,
            revision,
            token,
            remaining: Some(remaining).filter(|remaining| *remaining > 0 && options.selector.is_empty()),
        })
    }

    fn check_revision(&self, options: &ListOptions) -> Result<(), ApiError> {
        let Some(wanted) = options.resource_version else {
            return Ok(());
        };
        let now = self.store.revision();
        if wanted > now {
            return Err(too_large(wanted, now));
        }
        if options.version_match == Some(VersionMatch::Exact) && wanted != now {
            return Err(ApiError::expired(
                "The resourceVersion for the provided list is too old.",
            ));
        }
        Ok(())
    }
}

/// What a revision that does not exist yet is answered with.
pub(crate) fn too_large(wanted: u64, now: u64) -> ApiError {
    let message = format!("Timeout: Too large resource version: {wanted}, current: {now}");
    let mut error = ApiError::new(504, "Timeout", message);
    let cause = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
    error.details.insert("causes".to_owned(), cause);
    error.details.insert("retryAfterSeconds".to_owned(), json!(1));
    error
}

/// Where an object stands in a list.
fn place(object: &Value) -> (String, String) {
    (
        object::meta_text(object, "namespace").to_owned(),
        object::meta_text(object, "name").to_owned(),
    )
}

fn write_token(revision: u64, (namespace, name): &(String, String)) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": format!("{namespace}/{name}")});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Result<(u64, (String, String)), ApiError> {
    let read = || {
        let token: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let (namespace, name) = token["start"].as_str()?.split_once('/')?;
        Some((token["rv"].as_u64()?, (namespace.to_owned(), name.to_owned())))
    };
    read().ok_or_else(|| ApiError::bad_request("continue key is not valid: illegal base64 data"))
}

fn expired_token() -> ApiError {
    ApiError::expired(
        "The provided continue parameter is too old to display a consistent list result. You must start a new list \
         without the continue parameter.",
    )
}

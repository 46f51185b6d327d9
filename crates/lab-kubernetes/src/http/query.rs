//! The query of a request, parsed.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    kinds::Kind,
    operations::{FieldValidation, ListOptions, VersionMatch, WriteOptions},
    selectors::Selector,
    status::ApiError,
};

/// The parameters of a request; the last of a name wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    parameters: BTreeMap<String, String>,
}

/// How a watch is wanted.
#[derive(Clone, Debug)]
pub(crate) struct WatchOptions {
    pub selector: Selector,
    /// `None` begins with what exists now.
    pub after: Option<u64>,
    /// Begins with what exists and says when that was all.
    pub initial_events: bool,
    pub bookmarks: bool,
    pub timeout: Option<Duration>,
}

impl Query {
    pub fn parse(query: &str) -> Self {
        Self {
            parameters: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        }
    }

    pub fn text(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), "1" | "true" | "True")
    }

    fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.text(name) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| ApiError::bad_request(format!("invalid value for {name}: {text:?}"))),
        }
    }

    pub fn is_watch(&self) -> bool {
        self.flag("watch")
    }

    /// The one name that the field selector asks for.
    pub fn selected_name(&self) -> Option<String> {
        let mut parts = self.text("fieldSelector").split(',');
        parts
            .find_map(|part| part.strip_prefix("metadata.name="))
            .map(|name| name.trim_start_matches('=').to_owned())
    }

    pub fn selector(&self, kind: &Kind) -> Result<Selector, ApiError> {
        let fields = kind.builtin().map_or(&[] as &[&str], |builtin| builtin.fields);
        Selector::parse(self.text("labelSelector"), self.text("fieldSelector"), fields)
    }

    fn version_match(&self) -> Result<Option<VersionMatch>, ApiError> {
        match self.text("resourceVersionMatch") {
            "" => Ok(None),
            "Exact" => Ok(Some(VersionMatch::Exact)),
            "NotOlderThan" => Ok(Some(VersionMatch::NotOlderThan)),
            other => Err(ApiError::bad_request(format!(
                "resourceVersionMatch: Unsupported value: {other:?}"
            ))),
        }
    }

    pub fn list(&self, kind: &Kind) -> Result<ListOptions, ApiError> {
        let resource_version = self.number("resourceVersion")?;
        let version_match = self.version_match()?;
        if version_match.is_some() && self.text("resourceVersion").is_empty() {
            return Err(ApiError::bad_request(
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        Ok(ListOptions {
            selector: self.selector(kind)?,
            limit: self.number("limit")?.and_then(|limit| usize::try_from(limit).ok()),
            token: self.text("continue").to_owned(),
            resource_version: resource_version.filter(|version| *version > 0),
            version_match,
        })
    }

    pub fn watch(&self, kind: &Kind) -> Result<WatchOptions, ApiError> {
        let initial_events = self.flag("sendInitialEvents");
        let version_match = self.version_match()?;
        if initial_events && version_match != Some(VersionMatch::NotOlderThan) {
            return Err(ApiError::new(
                422,
                "Invalid",
                "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires \
                 setting resourceVersionMatch to NotOlderThan",
            ));
        }
        let after = self.number("resourceVersion")?.filter(|version| *version > 0);
        Ok(WatchOptions {
            selector: self.selector(kind)?,
            after: after.filter(|_| !initial_events),
            initial_events,
            bookmarks: self.flag("allowWatchBookmarks"),
            timeout: self
                .number("timeoutSeconds")?
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
        })
    }

    /// How a write is meant; without a name the manager is the user agent's.
    pub fn write(&self, user_agent: &str) -> Result<WriteOptions, ApiError> {
        let validation = match self.text("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                return Err(ApiError::bad_request(format!(
                    "fieldValidation: Unsupported value: {other:?}"
                )));
            }
        };
        let dry_run = match self.text("dryRun") {
            "" => false,
            "All" => true,
            other => return Err(ApiError::bad_request(format!("dryRun: Unsupported value: {other:?}"))),
        };
        let agent = user_agent.split('/').next().filter(|agent| !agent.is_empty());
        let manager = match self.text("fieldManager") {
            "" => agent.unwrap_or("unknown"),
            manager => manager,
        };
        Ok(WriteOptions {
            manager: manager.to_owned(),
            dry_run,
            force: self.flag("force"),
            validation,
        })
    }
}

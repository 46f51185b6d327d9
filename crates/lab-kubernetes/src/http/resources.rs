//! Requests about objects.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::{answer::Answer, body, handler::Shared, info::Info, query::Query, view::View, watch};
use crate::{
    kinds::Kind,
    object::meta_text,
    operations::{DeleteOptions, Deleted, Listed, Patch, PatchFormat, WriteOptions, Written},
    state::Target,
    status::{ApiError, FieldError},
};

const TOKEN_REVIEWS: (&str, &str, &str) = ("authentication.k8s.io", "v1", "tokenreviews");

/// One request about objects.
pub(super) struct Call<'a> {
    pub shared: &'a Arc<Shared>,
    pub method: &'a Method,
    pub path: &'a str,
    pub info: &'a Info,
    pub query: &'a Query,
    pub headers: &'a HeaderMap,
    pub user_agent: &'a str,
    pub body: Bytes,
}

impl Call<'_> {
    pub fn answer(&self) -> Result<Answer, ApiError> {
        let info = self.info;
        if (info.group.as_str(), info.version.as_str(), info.resource.as_str()) == TOKEN_REVIEWS {
            return self.token_review();
        }
        let kind = self
            .shared
            .state()
            .registry
            .find(&info.group, &info.version, &info.resource)
            .cloned();
        let kind = kind.ok_or_else(ApiError::no_such_path)?;
        let whole = info.is_collection(self.path);
        let namespace = if kind.namespaced { info.namespace.as_str() } else { "" };
        let misplaced = !kind.namespaced && !info.namespace.is_empty() && !kind.is_namespace();
        let spread = kind.namespaced && namespace.is_empty() && !(whole && self.method == Method::GET);
        if misplaced || (spread && self.method != Method::DELETE) {
            return Err(ApiError::not_allowed("it has the wrong scope"));
        }
        let target = Target {
            namespace: namespace.to_owned(),
            name: if whole { String::new() } else { info.name.clone() },
            status: info.subresource == "status",
            kind,
        };
        match (info.subresource.as_str(), whole) {
            ("", true) => self.collection(&target),
            ("", false) => self.item(&target),
            ("status", _) if target.kind.has_status => self.status(&target),
            _ => Err(ApiError::no_such_path()),
        }
    }

    fn token_review(&self) -> Result<Answer, ApiError> {
        if self.method != Method::POST || !self.info.is_collection(self.path) {
            return Err(ApiError::not_allowed("TokenReviews can only be created"));
        }
        let review = body::object(self.headers, &self.body)?;
        Ok(Answer::json(201, &self.shared.reviews.answer(review)?))
    }

    fn collection(&self, target: &Target) -> Result<Answer, ApiError> {
        let namespace = Some(target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        match self.method.as_str() {
            "GET" if self.query.is_watch() => {
                let options = self.query.watch(&target.kind)?;
                watch::begin(
                    self.shared,
                    &target.kind,
                    namespace.map(str::to_owned),
                    options,
                    self.view()?,
                )
            }
            "GET" => {
                let view = self.view()?;
                let options = self.query.list(&target.kind)?;
                let listed = self.shared.state().list_selected(&target.kind, namespace, &options)?;
                Ok(Answer::json(200, &view.list(&target.kind, &listed)))
            }
            "POST" => {
                let options = self.write_options()?;
                let object = body::object(self.headers, &self.body)?;
                let written = self.shared.state().create(target, object, &options)?;
                self.written(&target.kind, written)
            }
            "DELETE" if !target.kind.is_namespace() => self.delete_collection(target, namespace),
            _ => Err(ApiError::not_allowed("a collection")),
        }
    }

    fn item(&self, target: &Target) -> Result<Answer, ApiError> {
        match self.method.as_str() {
            "DELETE" => {
                let deleted = self.shared.state().delete(target, &self.delete_options()?)?;
                self.deleted(target, &deleted)
            }
            _ => self.status(target),
        }
    }

    /// What an object and its status have in common.
    fn status(&self, target: &Target) -> Result<Answer, ApiError> {
        match self.method.as_str() {
            "GET" if self.query.is_watch() => Err(ApiError::not_implemented(
                "watching by a path with a name; select the name by field",
            )),
            "GET" => {
                let view = self.view()?;
                let object = self.shared.state().find(target).ok_or_else(|| target.not_found())?;
                Ok(Answer::json(200, &view.object(&target.kind, &object)))
            }
            "PUT" => {
                let options = self.write_options()?;
                let object = body::object(self.headers, &self.body)?;
                let written = self.shared.state().update(target, object, &options)?;
                self.written(&target.kind, written)
            }
            "PATCH" => {
                let options = self.write_options()?;
                let patch = body::patch(&target.kind, self.headers, &self.body)?;
                self.check_patch(&patch)?;
                let written = self.shared.state().patch(target, &patch, &options)?;
                self.written(&target.kind, written)
            }
            _ => Err(ApiError::not_allowed("an object")),
        }
    }

    fn check_patch(&self, patch: &Patch) -> Result<(), ApiError> {
        let applies = patch.format == PatchFormat::Apply;
        let invalid = |error: FieldError| Err(ApiError::invalid("PatchOptions", "meta.k8s.io", "", &[error]));
        if applies && self.query.text("fieldManager").is_empty() {
            return invalid(FieldError::required("fieldManager", "is required for apply patch"));
        }
        if !applies && !self.query.text("force").is_empty() {
            return invalid(FieldError::forbidden(
                "force",
                "may not be specified for non-apply patch",
            ));
        }
        Ok(())
    }

    fn delete_collection(&self, target: &Target, namespace: Option<&str>) -> Result<Answer, ApiError> {
        let selector = self.query.selector(&target.kind)?;
        let options = self.delete_options()?;
        let mut state = self.shared.state();
        let objects = state.delete_all(target, namespace, &selector, &options);
        let listed = Listed {
            objects,
            revision: state.store.revision(),
            token: String::new(),
            remaining: None,
        };
        Ok(Answer::json(200, &View::Object.list(&target.kind, &listed)))
    }

    fn delete_options(&self) -> Result<DeleteOptions, ApiError> {
        let mut options = if self.body.is_empty() {
            DeleteOptions::default()
        } else {
            DeleteOptions::parse(&body::object(self.headers, &self.body)?)
        };
        options.dry_run |= self.query.text("dryRun") == "All";
        Ok(options)
    }

    fn deleted(&self, target: &Target, deleted: &Deleted) -> Result<Answer, ApiError> {
        match deleted {
            Deleted::Waits(object) => Ok(Answer::json(200, &self.view()?.object(&target.kind, object))),
            Deleted::Gone(object) => {
                let mut details =
                    json!({"name": target.name, "kind": target.kind.plural, "uid": meta_text(object, "uid")});
                if !target.kind.group.is_empty() {
                    details["group"] = json!(target.kind.group);
                }
                Ok(Answer::success(&details))
            }
        }
    }

    fn written(&self, kind: &Kind, written: Written) -> Result<Answer, ApiError> {
        let body: Value = self.view()?.object(kind, &written.object);
        let status = if written.created { 201 } else { 200 };
        Ok(Answer::json(status, &body).with_warnings(written.warnings))
    }

    fn write_options(&self) -> Result<WriteOptions, ApiError> {
        self.query.write(self.user_agent)
    }

    fn view(&self) -> Result<View, ApiError> {
        View::negotiate(self.headers, self.query.text("includeObject"))
    }
}

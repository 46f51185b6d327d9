//! The handle of a running server: what tests and the demo do with it.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    builder::{ADMIN, KubernetesLabBuilder},
    error::LabError,
    fault::{Fault, Matcher, Times},
    http::Shared,
    kinds::Kind,
    log::LoggedRequest,
    object::meta_text,
    operations::{DeleteOptions, Patch, PatchFormat, WriteOptions},
    server::{Reserved, Server},
    state::Target,
    tls::Identity,
};

/// A running small Kubernetes API. It ends when the handle and the runtime it was started on do.
///
/// Resources are named as kubectl names them, in full: `secrets`, `leases.coordination.k8s.io`.
#[derive(Debug)]
pub struct KubernetesLab {
    shared: Arc<Shared>,
    reserved: Reserved,
    identity: Identity,
    server: tokio::sync::Mutex<Option<Server>>,
    patience: Duration,
}

impl KubernetesLab {
    pub(crate) fn new(
        shared: Arc<Shared>,
        reserved: Reserved,
        identity: Identity,
        server: Server,
        patience: Duration,
    ) -> Self {
        Self {
            shared,
            reserved,
            identity,
            server: tokio::sync::Mutex::new(Some(server)),
            patience,
        }
    }

    /// Sets up a server.
    pub fn builder() -> KubernetesLabBuilder {
        KubernetesLabBuilder::default()
    }

    /// Where it listens: `https://127.0.0.1:…`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}", self.reserved.address)
    }

    /// The certificate that the server shows and that its clients are to trust, in PEM.
    pub fn certificate(&self) -> &str {
        &self.identity.certificate
    }

    /// A kubeconfig for the user `admin`, in the namespace `default`.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_of(ADMIN)
    }

    /// A kubeconfig for a user; one that the server does not know gets a token that it refuses.
    pub fn kubeconfig_of(&self, user: &str) -> String {
        let found = self.shared.users.iter().find(|(_, name)| *name == user);
        let token = found.map_or("unknown", |(token, _)| token.as_str());
        let certificate = STANDARD.encode(&self.identity.certificate);
        let server = self.url();
        format!(
            "apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: {server}
    certificate-authority-data: {certificate}
users:
- name: {user}
  user:
    token: {token}
contexts:
- name: lab
  context:
    cluster: lab
    user: {user}
    namespace: default
current-context: lab
"
        )
    }

    /// From now on TokenReviews do not know the token.
    pub fn forget_token(&self, token: &str) {
        self.shared.reviews.forget(token);
    }

    /// Every request so far, oldest first; the last 100,000 of them.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.all()
    }

    /// Waits until that holds of the requests so far. Without a limit of its own: the test runner has one.
    pub async fn until_requests(&self, holds: impl FnMut(&[LoggedRequest]) -> bool) {
        self.shared.log.until(holds).await;
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    /// Makes requests fail. Faults that were asked for first meet requests first.
    pub fn fail(&self, matcher: Matcher, fault: Fault, times: Times) {
        self.shared.faults.add(matcher, fault, times);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Stops listening and cuts every connection. What is stored stays.
    pub async fn stop(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await;
        }
    }

    /// Listens again where it listened before; does nothing while it listens.
    ///
    /// # Errors
    ///
    /// When the port has been taken in the meantime.
    pub async fn start(&self) -> Result<(), LabError> {
        let mut server = self.server.lock().await;
        if server.is_none() {
            let address = self.reserved.address;
            let listening = Server::listen(self.shared.clone(), self.identity.acceptor.clone(), address).await;
            *server = Some(listening.map_err(|source| LabError::Listen { address, source })?);
        }
        Ok(())
    }

    /// Cuts every connection and listens again.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart(&self) -> Result<(), LabError> {
        self.stop().await;
        self.start().await
    }

    /// Forgets the past: watches that begin before now, and lists that are half read, are told 410.
    pub fn compact(&self) {
        let mut state = self.shared.state();
        state.pages.forget();
        state.store.compact();
    }

    /// Ends every watch, as a server does when their time is over.
    pub fn drop_watches(&self) {
        self.shared.dropped.send_modify(|count| *count += 1);
    }

    /// Sends a bookmark to every watch that wants bookmarks.
    pub fn send_bookmarks(&self) {
        self.shared.bookmarks.send_modify(|count| *count += 1);
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.shared.state().store.revision()
    }

    /// An object; `namespace` is empty for kinds without namespaces.
    ///
    /// # Errors
    ///
    /// When no resource has this name.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Result<Option<Value>, LabError> {
        let target = self.target(resource, namespace, name)?;
        Ok(self.shared.state().find(&target).map(|object| (*object).clone()))
    }

    /// The objects of a resource by namespace and name, of one namespace or (`None`) of all.
    ///
    /// # Errors
    ///
    /// When no resource has this name.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Result<Vec<Value>, LabError> {
        let kind = self.kind(resource)?;
        let objects = self.shared.state().list(&kind, namespace);
        Ok(objects.iter().map(|object| (**object).clone()).collect())
    }

    /// Applies every object of a YAML text, in its order, as `kubectl apply --server-side --force-conflicts` does, and
    /// logs no requests. Namespaced objects without a namespace go to `default`.
    ///
    /// # Errors
    ///
    /// When the text is no YAML or an object is refused; the objects before it are applied.
    pub fn apply_yaml(&self, text: &str) -> Result<Vec<Value>, LabError> {
        let objects: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| LabError::Yaml {
            detail: error.to_string(),
        })?;
        objects
            .into_iter()
            .filter(|object| !object.is_null())
            .map(|object| self.apply(object))
            .collect()
    }

    /// Applies an object, as [`apply_yaml`](Self::apply_yaml) does.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn apply(&self, object: Value) -> Result<Value, LabError> {
        let (kind, name) = (object["kind"].as_str().unwrap_or_default(), meta_text(&object, "name"));
        let what = format!("{kind} {name}");
        let refused = |detail: String| LabError::Refused {
            what: what.clone(),
            detail,
        };
        let mut state = self.shared.state();
        let found = state
            .registry
            .by_kind(object["apiVersion"].as_str().unwrap_or_default(), kind)
            .cloned();
        let kind = found.ok_or_else(|| refused("no such kind".to_owned()))?;
        let namespace = match meta_text(&object, "namespace") {
            _ if !kind.namespaced => "",
            "" => "default",
            namespace => namespace,
        };
        let target = Target {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            status: false,
            kind,
        };
        let options = WriteOptions {
            manager: "lab".to_owned(),
            force: true,
            ..WriteOptions::default()
        };
        let patch = Patch {
            format: PatchFormat::Apply,
            body: object,
        };
        let written = state
            .patch(&target, &patch, &options)
            .map_err(|error| refused(error.message))?;
        Ok((*written.object).clone())
    }

    /// Deletes an object as a client would: one with finalizers waits for them. Tells whether it existed.
    ///
    /// # Errors
    ///
    /// When no resource has this name.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) -> Result<bool, LabError> {
        let target = self.target(resource, namespace, name)?;
        Ok(self.shared.state().delete(&target, &DeleteOptions::default()).is_ok())
    }

    /// Waits until an object is as expected (`None` when it does not exist) and returns it, `null` for none.
    ///
    /// # Errors
    ///
    /// When no resource has this name, and when it does not happen within the patience of the builder.
    pub async fn until(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        expected: impl Fn(Option<&Value>) -> bool,
    ) -> Result<Value, LabError> {
        let target = self.target(resource, namespace, name)?;
        let mut changed = self.shared.state().store.subscribe(&target.kind.table);
        let wait = async {
            loop {
                changed.mark_unchanged();
                let object = self.shared.state().find(&target);
                if expected(object.as_deref()) {
                    return object.map_or(Value::Null, |object| (*object).clone());
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(self.patience, wait)
            .await
            .map_err(|_| LabError::NeverHappened {
                what: format!("{resource} {namespace}/{name}"),
                last: self
                    .shared
                    .state()
                    .find(&target)
                    .map_or_else(|| "null".to_owned(), |object| object.to_string()),
            })
    }

    fn kind(&self, resource: &str) -> Result<Arc<Kind>, LabError> {
        let found = self.shared.state().registry.by_resource(resource).cloned();
        found.ok_or_else(|| LabError::NoSuchResource {
            resource: resource.to_owned(),
        })
    }

    fn target(&self, resource: &str, namespace: &str, name: &str) -> Result<Target, LabError> {
        Ok(Target {
            kind: self.kind(resource)?,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            status: false,
        })
    }
}

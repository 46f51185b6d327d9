//! What was asked of the server: enough to tell which permissions a client needs.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use http::{header, request::Parts};
use tokio::sync::watch;

use crate::http::Info;

/// The most requests that are remembered; the oldest go first.
const KEEP: usize = 100_000;

/// One request, as authorization sees it, and its outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`; for paths that are no
    /// resources the method in lower case.
    pub verb: &'static str,
    /// The API group; empty for the core group and for paths that are no resources.
    pub group: String,
    /// The plural name; empty for paths that are no resources.
    pub resource: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// Empty for requests across namespaces and for kinds without namespaces.
    pub namespace: String,
    /// Empty for collections, unless their field selector asks for one name.
    pub name: String,
    /// The user that the token belongs to; empty when it belongs to none.
    pub user: String,
    /// The header `User-Agent`.
    pub user_agent: String,
    /// The status of the answer; 0 when the connection was cut instead.
    pub status: u16,
    /// The HTTP method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// When the request arrived.
    pub at: SystemTime,
    /// A fault has had its hand in it.
    pub faulted: bool,
}

impl LoggedRequest {
    pub(crate) fn new(parts: &Parts, info: &Info, user: String) -> Self {
        let agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Self {
            verb: info.verb,
            group: info.group.clone(),
            resource: info.resource.clone(),
            subresource: info.subresource.clone(),
            namespace: info.namespace.clone(),
            name: info.name.clone(),
            user,
            user_agent: agent.unwrap_or_default().to_owned(),
            status: 0,
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            at: SystemTime::now(),
            faulted: false,
        }
    }

    /// The verbs that a user needs for this request: applying to what does not exist also needs `create`.
    pub fn verbs(&self) -> Vec<&'static str> {
        let creates = self.status == 201 && self.verb != "create" && !self.resource.is_empty();
        std::iter::once(self.verb).chain(creates.then_some("create")).collect()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Mutex<VecDeque<LoggedRequest>>,
    /// Moves with every entry.
    moved: watch::Sender<()>,
}

impl Log {
    pub fn push(&self, request: LoggedRequest) {
        let mut requests = self.lock();
        requests.push_back(request);
        if requests.len() > KEEP {
            requests.pop_front();
        }
        drop(requests);
        self.moved.send_replace(());
    }

    pub fn all(&self) -> Vec<LoggedRequest> {
        self.lock().iter().cloned().collect()
    }

    /// Waits until that holds of everything so far.
    pub async fn until(&self, mut holds: impl FnMut(&[LoggedRequest]) -> bool) {
        let mut moved = self.moved.subscribe();
        while !holds(self.lock().make_contiguous()) {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

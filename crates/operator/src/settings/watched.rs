//! One object, watched by name for as long as its handle lives.

use std::fmt::Debug;

use futures::{StreamExt, TryStreamExt};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        watcher::{Error, watch_object},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::known::Known;

/// Sends `wrap(…)` of each state of the object. Lost connections, restarts and outdated versions are followed by a new
/// list, with a growing pause in between; they change nothing that is known.
pub(super) fn watch<K, T, M>(
    api: Api<K>,
    name: &str,
    pick: impl Fn(K) -> T + Send + 'static,
    wrap: impl Fn(Known<T>) -> M + Send + 'static,
    changes: mpsc::Sender<M>,
) -> AbortOnDropHandle<()>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    T: Send + 'static,
    M: Send + 'static,
{
    let name = name.to_owned();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut states = watch_object(api, &name).default_backoff().into_stream().boxed();
        while let Some(state) = states.next().await {
            let known = match state {
                Ok(Some(object)) => Known::Present(pick(object)),
                Ok(None) => Known::Absent,
                Err(error) => {
                    let Some(reason) = refusal(&error) else {
                        tracing::warn!(name, %error, "failed to watch; trying again");
                        continue;
                    };
                    Known::Refused(reason)
                }
            };
            if changes.send(wrap(known)).await.is_err() {
                return;
            }
        }
    }))
}

/// Waiting does not help where the API server says no.
fn refusal(error: &Error) -> Option<String> {
    let (Error::InitialListFailed(kube::Error::Api(status)) | Error::WatchStartFailed(kube::Error::Api(status))) =
        error
    else {
        return None;
    };
    matches!(status.code, 401 | 403).then(|| status.reason.clone())
}

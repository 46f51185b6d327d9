//! What is in a cluster: its objects are listed and watched, and a fingerprint of each is kept, never the object.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, TryStreamExt};
use kube::{
    Api,
    core::DynamicObject,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use multinic_model::ClusterId;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::object::{fingerprint_of, is_clean, is_of};

/// One object as it was last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sight {
    /// Of what this server writes.
    pub fingerprint: u64,
    /// It carries the cluster's name.
    pub is_ours: bool,
    /// Its agent says that it has cleaned up.
    pub is_clean: bool,
}

/// What is new since the last question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// Everything was listed: all of it has to be looked at.
    Everything,
    /// These.
    Some(BTreeSet<Box<str>>),
}

/// The objects of a cluster. Clones share one state.
#[derive(Clone, Debug, Default)]
pub(super) struct Sights(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<Box<str>, Sight>,
    /// A list that is being read.
    listing: BTreeMap<Box<str>, Sight>,
    is_listed: bool,
    relisted: bool,
    changed: BTreeSet<Box<str>>,
}

impl Sights {
    /// Watches until the handle is dropped; `news` is told.
    pub fn watch(&self, api: Api<DynamicObject>, cluster: ClusterId, news: Arc<Notify>) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(tokio::spawn(run(self.clone(), api, cluster, news)))
    }

    /// What is new; `None` before the first list and if nothing is.
    pub fn news(&self) -> Option<News> {
        let mut state = self.lock();
        let changed = std::mem::take(&mut state.changed);
        match (std::mem::take(&mut state.relisted), state.is_listed) {
            (true, _) => Some(News::Everything),
            (false, true) if !changed.is_empty() => Some(News::Some(changed)),
            _ => None,
        }
    }

    pub fn get(&self, node: &str) -> Option<Sight> {
        self.lock().objects.get(node).copied()
    }

    /// The names of this cluster's objects.
    pub fn ours(&self) -> BTreeSet<Box<str>> {
        let state = self.lock();
        let ours = state.objects.iter().filter(|(_, sight)| sight.is_ours);
        ours.map(|(name, _)| name.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: Event<DynamicObject>, cluster: &ClusterId) {
        let mut state = self.lock();
        match event {
            Event::Init => state.listing.clear(),
            Event::InitApply(object) => {
                if let Some((name, sight)) = sight(&object, cluster) {
                    state.listing.insert(name, sight);
                }
            }
            Event::InitDone => {
                state.objects = std::mem::take(&mut state.listing);
                (state.is_listed, state.relisted) = (true, true);
            }
            Event::Apply(object) => {
                if let Some((name, sight)) = sight(&object, cluster)
                    && state.objects.insert(name.clone(), sight) != Some(sight)
                {
                    state.changed.insert(name);
                }
            }
            Event::Delete(object) => {
                if let Some(name) = object.metadata.name {
                    state.objects.remove(&*name);
                    state.changed.insert(name.into());
                }
            }
        }
    }
}

fn sight(object: &DynamicObject, cluster: &ClusterId) -> Option<(Box<str>, Sight)> {
    let name = object.metadata.name.as_deref()?.into();
    let sight = Sight {
        fingerprint: fingerprint_of(object),
        is_ours: is_of(object, cluster),
        is_clean: is_clean(object),
    };
    Some((name, sight))
}

async fn run(sights: Sights, api: Api<DynamicObject>, cluster: ClusterId, news: Arc<Notify>) {
    let mut events = watcher::watcher(api, watcher::Config::default())
        .default_backoff()
        .boxed();
    let mut works = true;
    loop {
        match events.try_next().await {
            Ok(Some(event)) => {
                works = true;
                sights.take(event, &cluster);
                news.notify_one();
            }
            Ok(None) => return,
            Err(error) => {
                if std::mem::replace(&mut works, false) {
                    tracing::warn!(%cluster, "the cluster's objects are not watched for now: {error}");
                }
            }
        }
    }
}

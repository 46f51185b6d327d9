//! News for those who watch: each change is read once per cluster, however many watch it.
//!
//! A change of this replica is told at once; one of another replica when the database is asked next.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use multinic_model::{ClusterId, NodeName};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use crate::store::{Store, StoreError, changes::Change};

/// A change, put into words once.
#[derive(Debug)]
pub(crate) struct News {
    pub sequence: u64,
    pub kind: &'static str,
    pub node: NodeName,
    pub json: String,
}

/// How changes are put into words.
pub(crate) type Telling = fn(Change) -> News;

/// How many changes a watcher may fall behind before it reads them from the database.
const BACKLOG: usize = 1_024;

/// How many changes are read at once.
const PAGE: u32 = 500;

/// How long the database may take over what is new; then it is asked again on another connection.
const TELLING: Duration = Duration::from_secs(10);

/// All clusters that are watched.
#[derive(Clone, Debug)]
pub(crate) struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    telling: Telling,
    channels: Mutex<BTreeMap<ClusterId, Channel>>,
    changed: Notify,
}

#[derive(Debug)]
struct Channel {
    sender: broadcast::Sender<Arc<News>>,
    /// The last change that was told.
    told: u64,
}

impl Feed {
    pub fn new(store: Store, telling: Telling) -> Self {
        Self(Arc::new(Inner {
            store,
            telling,
            channels: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// Everything that changes in the cluster from now on, and the last change before that.
    pub async fn subscribe(&self, cluster: &ClusterId) -> Result<(broadcast::Receiver<Arc<News>>, u64), StoreError> {
        if let Some(found) = self.join(cluster) {
            return Ok(found);
        }
        let told = self.0.store.position(cluster).await?.sequence;
        let mut channels = self.channels();
        let channel = channels.entry(cluster.clone()).or_insert_with(|| Channel {
            sender: broadcast::channel(BACKLOG).0,
            told,
        });
        Ok((channel.sender.subscribe(), channel.told))
    }

    fn join(&self, cluster: &ClusterId) -> Option<(broadcast::Receiver<Arc<News>>, u64)> {
        let channels = self.channels();
        let channel = channels.get(cluster)?;
        Some((channel.sender.subscribe(), channel.told))
    }

    /// Something changed here.
    pub fn changed(&self) {
        self.0.changed.notify_one();
    }

    /// The changes behind `after` that the database has, put into words.
    pub async fn missed(&self, cluster: &ClusterId, after: u64) -> Result<Vec<Arc<News>>, StoreError> {
        let changes = self.0.store.changes(cluster, after, PAGE).await?;
        Ok(changes
            .into_iter()
            .map(|change| Arc::new((self.0.telling)(change)))
            .collect())
    }

    /// Tells until `shutdown`; `poll` is how often the database is asked for changes of other replicas.
    pub async fn run(self, poll: Duration, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.0.changed.notified() => {}
                () = tokio::time::sleep(poll) => {}
            }
            match tokio::time::timeout(TELLING, self.tell()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(category = error.category(), "watchers wait: {error}"),
                Err(_) => tracing::warn!("watchers wait: the database does not answer"),
            }
        }
    }

    async fn tell(&self) -> Result<(), StoreError> {
        let watched = self.watched();
        if watched.is_empty() {
            return Ok(());
        }
        let clusters: Vec<_> = watched.keys().cloned().collect();
        let sequences: BTreeMap<_, _> = self.0.store.sequences(&clusters).await?.into_iter().collect();
        for (cluster, told) in watched {
            match sequences.get(&cluster).copied().unwrap_or_default() {
                // The cluster was deleted, or the database is an older one: its watchers have to begin again.
                sequence if sequence < told => drop(self.channels().remove(&cluster)),
                sequence => self.tell_until(&cluster, told, sequence).await?,
            }
        }
        Ok(())
    }

    async fn tell_until(&self, cluster: &ClusterId, mut told: u64, sequence: u64) -> Result<(), StoreError> {
        while told < sequence {
            let news = self.missed(cluster, told).await?;
            // What was pruned meanwhile cannot be told.
            told = news.last().map_or(sequence, |last| last.sequence);
            self.send(cluster, told, news);
        }
        Ok(())
    }

    /// The clusters that somebody watches; the others are forgotten.
    fn watched(&self) -> BTreeMap<ClusterId, u64> {
        let mut channels = self.channels();
        channels.retain(|_, channel| channel.sender.receiver_count() > 0);
        channels
            .iter()
            .map(|(cluster, channel)| (cluster.clone(), channel.told))
            .collect()
    }

    fn send(&self, cluster: &ClusterId, told: u64, news: Vec<Arc<News>>) {
        if let Some(channel) = self.channels().get_mut(cluster) {
            channel.told = told;
            for news in news {
                // Nobody listening any more is no error.
                let _ = channel.sender.send(news);
            }
        }
    }

    fn channels(&self) -> MutexGuard<'_, BTreeMap<ClusterId, Channel>> {
        self.0.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What is in a cluster is compared with what should be: whoever changed or deleted an object, it is put right.
//!
//! Only objects that the store wants are mended, and only what it wants gone is deleted. An object with this cluster's
//! name that the store does not know is reported and left alone.

use std::collections::BTreeSet;

use multinic_model::{ClusterId, NodeName};

use super::{
    error::DeliveryError,
    object::{Standing, compare, fingerprint, is_clean, object},
    sight::{News, Sights},
    write::Writer,
};
use crate::store::{Store, StoreError, outbox::Held};

/// How many nodes are compared at once.
const PAGE: u32 = 500;

/// What a comparison came to.
#[derive(Debug, Default)]
pub(super) struct Drift {
    /// Nodes the objects of which seem to be wrong.
    suspects: Vec<Held>,
    /// How many objects the store knows nothing of; `None`: not all were looked at.
    pub orphans: Option<usize>,
}

/// What cannot be compared now.
#[derive(Debug)]
pub(super) enum Trouble {
    Store(StoreError),
    Cluster(DeliveryError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DeliveryError> for Trouble {
    fn from(error: DeliveryError) -> Self {
        Self::Cluster(error)
    }
}

/// Compares what is new in the cluster with the store.
pub(super) async fn look(store: &Store, cluster: &ClusterId, sights: &Sights, news: News) -> Result<Drift, StoreError> {
    let mut drift = Drift::default();
    match news {
        News::Some(names) => {
            let held = store.held_of(cluster, names.iter().map(AsRef::as_ref)).await?;
            drift
                .suspects
                .extend(held.into_iter().filter(|held| is_suspect(cluster, sights, held)));
        }
        News::Everything => {
            let mut orphans = sights.ours();
            let mut after = None;
            loop {
                let page = store.held(cluster, after.as_ref(), PAGE).await?;
                after = page.last().map(|held| held.node.clone());
                if after.is_none() {
                    break;
                }
                for held in page {
                    orphans.remove(held.node.as_str());
                    if is_suspect(cluster, sights, &held) {
                        drift.suspects.push(held);
                    }
                }
            }
            report(cluster, &orphans);
            drift.orphans = Some(orphans.len());
        }
    }
    Ok(drift)
}

fn report(cluster: &ClusterId, orphans: &BTreeSet<Box<str>>) {
    if let Some(example) = orphans.first() {
        let count = orphans.len();
        tracing::warn!(%cluster, count, example, "objects stay that carry the cluster's name and that nobody asked for");
    }
}

fn is_suspect(cluster: &ClusterId, sights: &Sights, held: &Held) -> bool {
    let Some(config) = held.config.as_ref().filter(|_| !held.is_open) else {
        return false;
    };
    sights.get(held.node.as_str()).is_none_or(|sight| {
        sight.fingerprint != fingerprint(&object(cluster, config)) || held.retires && sight.is_clean
    })
}

impl Drift {
    /// Looks at the objects themselves and notes what has to be done; how many nodes were noted.
    ///
    /// What was seen may be older than what was written since; what is read now is not.
    pub async fn settle(&self, store: &Store, writer: &Writer) -> Result<usize, Trouble> {
        let mut wrong: Vec<NodeName> = Vec::new();
        let mut retired = 0;
        for held in &self.suspects {
            let Some(config) = &held.config else { continue };
            let found = writer.find(&held.node).await?;
            let standing = found
                .as_ref()
                .map(|found| compare(found, &object(writer.cluster(), config)));
            match (&found, standing) {
                (Some(found), Some(Standing::Same)) if held.retires && is_clean(found) => {
                    store.retire(writer.cluster(), &held.node).await?;
                    retired += 1;
                }
                (_, Some(Standing::Same)) => {}
                // Somebody took the object away before its time: it is not missed.
                (None, _) if held.retires => {
                    store.retire(writer.cluster(), &held.node).await?;
                    retired += 1;
                }
                _ => wrong.push(held.node.clone()),
            }
        }
        if !wrong.is_empty() {
            let (count, example) = (wrong.len(), wrong.first());
            tracing::info!(cluster = %writer.cluster(), count, example = example.map(NodeName::as_str), "objects are not as they should be");
            store.mend(writer.cluster(), &wrong).await?;
        }
        Ok(wrong.len() + retired)
    }
}

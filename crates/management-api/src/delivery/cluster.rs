//! One cluster's task: waits until something is due, and brings it into the cluster, a round at a time.

use std::sync::Arc;

use jiff::Timestamp;
use multinic_model::ClusterId;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    DeliveryOptions, Numbers,
    drift::{self, Trouble},
    error::DeliveryError,
    fence::Fence,
    prepare::{Prepared, prepare},
    round::{Outcome, Terms, round},
    sight::Sights,
    way::Way,
    write::Writer,
};
use crate::store::{Store, StoreError, outbox::Due, providers::DeliverySettings, targets::ReplicaId};

/// How many nodes are taken up at once.
const ROUND: u32 = 200;

/// What a cluster's task is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Orders {
    pub way: Way,
    pub settings: DeliverySettings,
}

/// What all tasks of a replica share.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub store: Store,
    pub replica: ReplicaId,
    pub options: Arc<DeliveryOptions>,
    pub fence: Fence,
    /// Requests beyond the one that each cluster has for itself.
    pub extra: Arc<Semaphore>,
    pub numbers: Numbers,
}

/// The task of one cluster.
#[derive(Debug)]
pub(super) struct ClusterTask {
    pub common: Common,
    pub cluster: ClusterId,
    pub orders: watch::Receiver<Orders>,
    pub wake: Arc<Notify>,
    pub stop: CancellationToken,
    /// How often the cluster failed as a whole, in a row.
    pub failures: u64,
    /// Before this time the cluster is left alone, whoever wakes it.
    pub waits_until: Option<Timestamp>,
    /// The last failure's category, so that each is reported once.
    pub reported: Option<&'static str>,
}

/// A cluster that was reached.
struct Ready {
    writer: Writer,
    prepared: Prepared,
    sights: Sights,
    /// Whoever looks for `sights`.
    _watch: AbortOnDropHandle<()>,
}

impl ClusterTask {
    /// Until it is told to stop; what is under way then is finished.
    pub async fn run(mut self) {
        let mut ready = None;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = self.orders.changed() => match changed {
                    Ok(()) => (ready, self.waits_until) = (None, None),
                    Err(_) => return,
                },
                () = self.wake.notified() => {}
            }
            if self.waits_until.is_some_and(|until| self.common.store.now() < until) {
                continue;
            }
            if let Err(error) = self.work(&mut ready).await {
                tracing::warn!(cluster = %self.cluster, category = error.category(), "deliveries wait: {error}");
            }
        }
    }

    /// Everything that is due, and everything that is seen to be wrong, until there is neither.
    async fn work(&mut self, ready: &mut Option<Ready>) -> Result<(), StoreError> {
        while !self.stop.is_cancelled() {
            let orders = self.orders.borrow().clone();
            if ready.is_none() {
                match self.connect(&orders).await {
                    Ok(reached) => *ready = Some(reached),
                    Err(error) => return self.failed(&error).await,
                }
                self.works().await?;
            }
            let Some(reached) = ready.as_ref() else { return Ok(()) };
            let due = self.common.store.due(&self.cluster, ROUND).await?;
            let worked = if due.is_empty() {
                self.compare(reached).await
            } else {
                self.deliver(reached, &orders, due).await
            };
            match worked {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Cluster(error)) => {
                    *ready = None;
                    return self.failed(&error).await;
                }
            }
        }
        Ok(())
    }

    /// True: there may be more.
    async fn deliver(&self, ready: &Ready, orders: &Orders, due: Vec<Due>) -> Result<bool, Trouble> {
        let outcome = self.round(ready, orders, due).await;
        self.common.store.settle(&self.cluster, &outcome.settled).await?;
        outcome.trouble.map_or(Ok(true), |error| Err(error.into()))
    }

    /// True: something was wrong and is due now.
    async fn compare(&self, ready: &Ready) -> Result<bool, Trouble> {
        let Some(news) = ready.sights.news() else {
            return Ok(false);
        };
        let drift = drift::look(&self.common.store, &self.cluster, &ready.sights, news).await?;
        let noted = drift.settle(&self.common.store, &ready.writer).await?;
        self.common.numbers.drifted(noted);
        if let Some(orphans) = drift.orphans {
            self.common.numbers.orphans(&self.cluster, orphans);
        }
        Ok(true)
    }

    async fn connect(&self, orders: &Orders) -> Result<Ready, DeliveryError> {
        let time = self.common.options.request_time;
        let client = orders.way.client(time).await?;
        let prepared = prepare(&client, orders.settings.crd, &self.common.fence, time).await?;
        let writer = Writer::new(client, self.cluster.clone(), self.common.fence.clone(), time);
        let sights = Sights::default();
        let watch = sights.watch(writer.objects(), self.cluster.clone(), Arc::clone(&self.wake));
        Ok(Ready {
            writer,
            prepared,
            sights,
            _watch: watch,
        })
    }

    /// One request at a time is the cluster's own, whatever the others do.
    async fn round(&self, ready: &Ready, orders: &Orders, due: Vec<Due>) -> Outcome {
        let wanted = self.common.options.per_cluster.min(due.len()).saturating_sub(1);
        let extra: Vec<_> = (0..wanted)
            .map_while(|_| self.common.extra.try_acquire().ok())
            .collect();
        let terms = Terms {
            store: &self.common.store,
            writer: &ready.writer,
            prepared: ready.prepared,
            settings: &orders.settings,
            backoff: self.common.options.backoff,
            numbers: &self.common.numbers,
            width: 1 + extra.len(),
        };
        round(&terms, due, &self.stop).await
    }

    async fn failed(&mut self, error: &DeliveryError) -> Result<(), StoreError> {
        self.common.numbers.count(error.category());
        if matches!(error, DeliveryError::Fenced) {
            return Ok(());
        }
        if self.reported != Some(error.category()) {
            tracing::warn!(cluster = %self.cluster, category = error.category(), "the cluster waits: {error}");
            self.reported = Some(error.category());
        }
        let after = self.common.options.backoff.after(self.failures, error.asked());
        self.failures += 1;
        self.waits_until = self.common.store.now().checked_add(after).ok();
        let (store, replica) = (&self.common.store, &self.common.replica);
        store
            .target_failed(&self.cluster, replica, &error.to_string(), after)
            .await
    }

    async fn works(&mut self) -> Result<(), StoreError> {
        if self.failures == 0 {
            return Ok(());
        }
        self.common
            .store
            .target_works(&self.cluster, &self.common.replica)
            .await?;
        tracing::info!(cluster = %self.cluster, "the cluster takes deliveries again");
        (self.failures, self.waits_until, self.reported) = (0, None, None);
        Ok(())
    }
}

//! Which clusters are this replica's, and which of them are due.
//!
//! Every look at the database answers both. Between two looks a change of this process wakes it; changes of other replicas
//! are seen with the next look.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use multinic_model::ClusterId;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    DeliveryOptions, Numbers,
    cluster::{ClusterTask, Common, Orders},
    fence::Fence,
    way::{Folder, Way},
};
use crate::store::{Store, StoreError, providers::DeliveryTarget, targets::Target};

/// Delivers into every cluster that has a target.
#[derive(Debug)]
pub struct Deliveries {
    common: Common,
    changed: Arc<Notify>,
    folder: Folder,
    known: Known,
    running: BTreeMap<ClusterId, Running>,
    /// What was told to stop and finishes what is under way; it is not taken up again before that.
    ending: BTreeMap<ClusterId, AbortOnDropHandle<()>>,
    lived_at: Option<Instant>,
    reported: Option<&'static str>,
}

/// What the last look at the folder showed.
#[derive(Debug, Default)]
struct Known {
    looked_at: Option<Instant>,
    ways: BTreeMap<ClusterId, (DeliveryTarget, Option<Way>)>,
}

#[derive(Debug)]
struct Running {
    orders: watch::Sender<Orders>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    /// Ends with this process' deliveries, whatever it waits for.
    task: AbortOnDropHandle<()>,
}

impl Deliveries {
    /// `changed` is told of every change of this process.
    pub(crate) fn new(store: Store, options: DeliveryOptions, changed: Arc<Notify>, numbers: Numbers) -> Self {
        let common = Common {
            replica: store.replica(),
            store,
            fence: Fence::default(),
            extra: Arc::new(Semaphore::new(options.overall)),
            numbers,
            options: Arc::new(options),
        };
        Self {
            folder: Folder(common.options.kubeconfigs.clone()),
            common,
            changed,
            known: Known::default(),
            running: BTreeMap::new(),
            ending: BTreeMap::new(),
            lived_at: None,
            reported: None,
        }
    }

    /// Delivers until `shutdown`; what is under way then is finished, and everything is left to the other replicas.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let looked = self.look().await;
            self.report(looked);
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(self.common.options.poll) => {}
            }
        }
        let clusters: Vec<_> = self.running.keys().cloned().collect();
        for cluster in clusters {
            self.end(&cluster);
        }
        futures::future::join_all(std::mem::take(&mut self.ending).into_values()).await;
        if self.lived_at.is_some() {
            let left = self.common.store.leave(&self.common.replica).await;
            self.report(left);
        }
    }

    fn report(&mut self, result: Result<(), StoreError>) {
        let category = result.as_ref().err().map(StoreError::category);
        if let Err(error) = result
            && self.reported != category
        {
            tracing::warn!(category, "deliveries wait: {error}");
        }
        self.reported = category;
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let begun = (!self.running.is_empty()).then(Instant::now);
        if let Some(begun) = begun {
            self.live(begun).await?;
        }
        let targets = self.common.store.targets().await?;
        self.drop_lost(&targets);
        self.ending.retain(|_, task| !task.is_finished());
        if let Some(lived_at) = self.lived_at {
            self.common.fence.open(lived_at, self.lease());
        }
        self.known.look(&self.folder, &targets, self.common.options.poll);
        for target in &targets {
            self.arrange(target).await?;
        }
        self.share(&targets).await
    }

    fn lease(&self) -> Duration {
        self.common.options.lease.try_into().unwrap_or_default()
    }

    async fn live(&mut self, begun: Instant) -> Result<(), StoreError> {
        let fresh = self
            .lived_at
            .is_some_and(|at| begun.duration_since(at) < self.lease() / 4);
        if !fresh {
            self.common
                .store
                .live(&self.common.replica, self.common.options.lease)
                .await?;
            self.lived_at = Some(begun);
        }
        Ok(())
    }

    /// Ends the tasks of clusters that are gone or another replica's.
    fn drop_lost(&mut self, targets: &[Target]) {
        let mine = |cluster: &ClusterId| {
            let found = targets.binary_search_by(|target| target.cluster.cmp(cluster));
            found
                .ok()
                .and_then(|index| targets.get(index))
                .is_some_and(|target| target.held_by.as_ref() == Some(&self.common.replica))
        };
        let lost: Vec<_> = self.running.keys().filter(|cluster| !mine(cluster)).cloned().collect();
        for cluster in lost {
            self.end(&cluster);
        }
    }

    /// A slow cluster's last request keeps nobody waiting.
    fn end(&mut self, cluster: &ClusterId) {
        let Some(running) = self.running.remove(cluster) else {
            return;
        };
        running.stop.cancel();
        self.common.numbers.forget(cluster);
        let (common, cluster) = (self.common.clone(), cluster.clone());
        let of = cluster.clone();
        let ending = AbortOnDropHandle::new(tokio::spawn(async move {
            if running.task.await.is_err() {
                tracing::error!(%cluster, "a cluster's deliveries ended in a panic");
            }
            if let Err(error) = common.store.let_go(&cluster, &common.replica).await {
                tracing::debug!(%cluster, category = error.category(), "a cluster is not let go: {error}");
            }
        }));
        self.ending.insert(of, ending);
    }

    async fn arrange(&mut self, target: &Target) -> Result<(), StoreError> {
        let is_free = target.held_by.is_none();
        let is_mine = target.held_by.as_ref() == Some(&self.common.replica);
        let Some(way) = self.known.way(&target.cluster) else {
            if target.is_known && (is_free || is_mine) {
                self.end(&target.cluster);
                self.common.store.without_target(&target.cluster).await?;
            }
            return Ok(());
        };
        let orders = Orders {
            way: way.clone(),
            settings: target.settings.clone(),
        };
        if let Some(running) = self.running.get(&target.cluster) {
            running.orders.send_if_modified(|current| {
                let is_other = *current != orders;
                *current = orders;
                is_other
            });
            if target.due_at.is_some_and(|due| due <= self.common.store.now()) {
                running.wake.notify_one();
            }
            return Ok(());
        }
        if (is_free || is_mine) && !self.ending.contains_key(&target.cluster) {
            self.take(target, orders).await?;
        }
        Ok(())
    }

    async fn take(&mut self, target: &Target, orders: Orders) -> Result<(), StoreError> {
        self.live(Instant::now()).await?;
        if !self.common.store.hold(&target.cluster, &self.common.replica).await? {
            return Ok(());
        }
        if let Some(lived_at) = self.lived_at {
            self.common.fence.open(lived_at, self.lease());
        }
        let (orders, receiver) = watch::channel(orders);
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let task = ClusterTask {
            common: self.common.clone(),
            cluster: target.cluster.clone(),
            orders: receiver,
            wake: Arc::clone(&wake),
            stop: stop.clone(),
            failures: target.attempts,
            waits_until: None,
            reported: None,
        };
        // Even if nothing is due: what is there has to be compared.
        if target
            .due_at
            .is_none_or(|due| due <= self.common.store.now() || target.attempts == 0)
        {
            wake.notify_one();
        }
        let task = AbortOnDropHandle::new(tokio::spawn(task.run()));
        let running = Running {
            orders,
            wake,
            stop,
            task,
        };
        self.running.insert(target.cluster.clone(), running);
        Ok(())
    }

    /// Lets go of what is more than this replica's share, so that a replica that came later has something to do.
    async fn share(&mut self, targets: &[Target]) -> Result<(), StoreError> {
        if self.running.len() < 2 {
            return Ok(());
        }
        let replicas = usize::try_from(self.common.store.replicas().await?).unwrap_or(1).max(1);
        let clusters = targets
            .iter()
            .filter(|target| self.known.way(&target.cluster).is_some())
            .count();
        while self.running.len() > clusters.div_ceil(replicas) {
            let Some(cluster) = self.running.keys().next_back().cloned() else {
                break;
            };
            self.end(&cluster);
        }
        Ok(())
    }
}

impl Known {
    /// Looks at the folder again if the last look is too long ago; at what is new at once.
    fn look(&mut self, folder: &Folder, targets: &[Target], poll: Duration) {
        let fresh = self.looked_at.is_some_and(|at| at.elapsed() < 4 * poll);
        let mut earlier = std::mem::take(&mut self.ways);
        if !fresh {
            self.looked_at = Some(Instant::now());
        }
        for target in targets {
            let kept = earlier
                .remove(&target.cluster)
                .filter(|(kind, _)| fresh && *kind == target.settings.target);
            let kind = &target.settings.target;
            let way = kept.unwrap_or_else(|| (kind.clone(), folder.way(&target.cluster, kind)));
            self.ways.insert(target.cluster.clone(), way);
        }
    }

    fn way(&self, cluster: &ClusterId) -> Option<&Way> {
        self.ways.get(cluster)?.1.as_ref()
    }
}

//! The tasks of the engine: passes under way, and readings that somebody waits for.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use multinic_model::ClusterId;
use multinic_sync::{Place, readings::Freshness};
use tokio::task::{Id, JoinError, JoinSet};

use crate::{
    index::Unit,
    pass::{self, Finished, Order, Tools},
    settings::Current,
};

/// The passes under way; dropping it ends them.
#[derive(Default)]
pub struct Passes {
    tasks: JoinSet<Finished>,
    units: HashMap<Id, Unit>,
}

/// The readings that somebody waits for; dropping it ends the waiting.
#[derive(Default)]
pub struct Awaited {
    tasks: JoinSet<(ClusterId, Place)>,
    waits: BTreeSet<(ClusterId, Place)>,
}

/// A pass that ended.
pub struct Ended {
    /// Its cluster.
    pub unit: Unit,
    /// What came of it; `None` if it panicked.
    pub finished: Option<Finished>,
}

impl Passes {
    /// Starts a pass.
    pub fn start(&mut self, order: Order, tools: Tools) {
        let unit = order.unit.clone();
        let task = self.tasks.spawn(async move { pass::run(order, &tools).await });
        self.units.insert(task.id(), unit);
    }

    /// The next pass that ends; waits for ever while none is under way.
    pub async fn ended(&mut self) -> Ended {
        loop {
            let Some(joined) = self.tasks.join_next_with_id().await else {
                return std::future::pending().await;
            };
            let (id, finished) = match joined {
                Ok((id, finished)) => (id, Some(finished)),
                Err(error) => (error.id(), panicked(&error)),
            };
            if let Some(unit) = self.units.remove(&id) {
                return Ended { unit, finished };
            }
        }
    }

    /// Waits until the last pass has ended.
    pub async fn all_ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Awaited {
    /// Waits for readings that a pass of this cluster did not wait for.
    pub fn wait_for(&mut self, cluster: &ClusterId, slow: Vec<(Place, Freshness)>, current: &Arc<Current>) {
        for (place, freshness) in slow {
            let wait = (cluster.clone(), place);
            if !self.waits.insert(wait.clone()) {
                continue;
            }
            let current = Arc::clone(current);
            self.tasks.spawn(async move {
                current.readings.reading(&wait.0, &wait.1, freshness).await;
                wait
            });
        }
    }

    /// The next cluster whose reading has come; waits for ever while none is waited for.
    pub async fn arrived(&mut self) -> ClusterId {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(wait)) => {
                    self.waits.remove(&wait);
                    return wait.0;
                }
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }

    /// Other settings, other readings.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The panic's own words went to the log already.
fn panicked(error: &JoinError) -> Option<Finished> {
    tracing::error!(panic = error.is_panic(), "a pass ended abnormally; it is made again");
    None
}

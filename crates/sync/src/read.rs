//! The read step: every place's inventory and every cluster's earlier node configs, side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::{join, join_all};
use multinic_cloud::{CloudCredentials, ReadRequest};
use multinic_delivery::DeliveryError;
use multinic_model::{ClusterId, Earlier};
use multinic_planner::News;

use crate::{
    Connections, PlaceError,
    observer::{Observer, Step},
    readings::{PlaceOutcome, wishes},
    resolve::{Config, Place, Resolved},
};

/// Everything a plan is made from. Next step: [`Read::plan`].
pub struct Read {
    pub(crate) resolved: Resolved,
    pub(crate) inventories: BTreeMap<Place, PlaceOutcome>,
    /// What of them is new; without an entry, everything.
    pub(crate) news: BTreeMap<Place, News>,
    pub(crate) earlier: BTreeMap<ClusterId, Result<Earlier, Arc<DeliveryError>>>,
}

impl Resolved {
    /// Reads every place once, however many configs share it. A place that fails, fails alone.
    pub async fn read(self, connections: &Connections, observer: &dyn Observer) -> Read {
        observer.step(Step::Reading {
            projects: self.places.len(),
        });
        let requests = wishes(&self.configs);
        let inventories = join_all(self.places.iter().map(async |(place, credentials)| {
            let inventory = match (credentials, requests.get(place)) {
                (Ok(credentials), Some(request)) => read_place(connections, credentials, request).await,
                (Err(error), _) => Err(Arc::clone(error)),
                (Ok(_), None) => Err(Arc::new(PlaceError::Abandoned)),
            };
            (place.clone(), inventory)
        }));
        let clusters: BTreeSet<&ClusterId> = self.configs.iter().map(Config::cluster).collect();
        let earlier = join_all(
            clusters
                .into_iter()
                .map(|cluster| async { (cluster.clone(), read_back(connections, cluster).await) }),
        );
        let (inventories, earlier) = join(inventories, earlier).await;
        let (inventories, earlier) = (inventories.into_iter().collect(), earlier.into_iter().collect());
        Read {
            resolved: self,
            inventories,
            news: BTreeMap::new(),
            earlier,
        }
    }
}

impl Read {
    /// Goes on from readings (and what is new in them) and read-backs that were made elsewhere. Every cluster of `earlier` gets a plan, made of those of
    /// the `configs` that take part in it; a place without a reading counts as one that failed.
    pub fn assembled(
        configs: Vec<Config>,
        readings: BTreeMap<Place, PlaceOutcome>,
        news: BTreeMap<Place, News>,
        earlier: BTreeMap<ClusterId, Result<Earlier, Arc<DeliveryError>>>,
    ) -> Self {
        Self {
            resolved: Resolved {
                configs,
                places: BTreeMap::new(),
            },
            inventories: readings,
            news,
            earlier,
        }
    }

    /// Reads everything a second time with the same credentials, to confirm what the first reading missed.
    pub(crate) async fn again(self, connections: &Connections, observer: &dyn Observer) -> Self {
        self.resolved.read(connections, observer).await
    }
}

async fn read_place(connections: &Connections, credentials: &CloudCredentials, request: &ReadRequest) -> PlaceOutcome {
    let inventory = connections.cloud.read(credentials, request).await;
    inventory
        .map(Arc::new)
        .map_err(|error| Arc::new(PlaceError::Cloud(error)))
}

/// What the management API holds for a cluster. Without a management API in the settings (`plan`, `doctor`) there is
/// nothing to read back.
pub async fn read_back(connections: &Connections, cluster: &ClusterId) -> Result<Earlier, Arc<DeliveryError>> {
    match &connections.management_api {
        Some(api) => api.read_back(cluster).await.map_err(Arc::new),
        None => Ok(Earlier::NotOffered),
    }
}

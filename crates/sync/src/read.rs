//! The read step: every place's inventory and every cluster's earlier node configs, side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::{join, join_all};
use multinic_cloud::{CloudCredentials, ReadRequest};
use multinic_delivery::DeliveryError;
use multinic_model::{ClusterId, Earlier, inventory::Inventory};

use crate::{
    Connections, PlaceError,
    observer::{Observer, Step},
    resolve::{Config, Place, Resolved},
};

/// Everything a plan is made from. Next step: [`Read::plan`].
pub struct Read {
    pub(crate) resolved: Resolved,
    pub(crate) inventories: BTreeMap<Place, Result<Inventory, Arc<PlaceError>>>,
    pub(crate) earlier: BTreeMap<ClusterId, Result<Earlier, Arc<DeliveryError>>>,
}

impl Resolved {
    /// Reads every place once, however many configs share it. A place that fails, fails alone.
    pub async fn read(self, connections: &Connections, observer: &dyn Observer) -> Read {
        observer.step(Step::Reading {
            projects: self.places.len(),
        });
        let inventories = join_all(self.places.iter().map(|(place, credentials)| async {
            let inventory = match credentials {
                Ok(credentials) => read_place(connections, credentials, &self.request(place)).await,
                Err(error) => Err(Arc::clone(error)),
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
            earlier,
        }
    }

    /// What all configs of a place ask for together.
    fn request(&self, place: &Place) -> ReadRequest {
        let mut request = ReadRequest {
            subnets: BTreeSet::new(),
            vms: BTreeSet::new(),
        };
        for selection in self
            .configs
            .iter()
            .filter_map(Config::selection)
            .filter(|s| Place::of(s) == *place)
        {
            request.subnets.insert(selection.subnet.clone());
            request.vms.extend(selection.vms.iter().cloned());
        }
        request
    }
}

impl Read {
    /// Reads everything a second time with the same credentials, to confirm what the first reading missed.
    pub async fn again(self, connections: &Connections, observer: &dyn Observer) -> Self {
        self.resolved.read(connections, observer).await
    }
}

async fn read_place(
    connections: &Connections,
    credentials: &CloudCredentials,
    request: &ReadRequest,
) -> Result<Inventory, Arc<PlaceError>> {
    connections
        .cloud
        .read(credentials, request)
        .await
        .map_err(|error| Arc::new(PlaceError::Cloud(error)))
}

/// Without a management API in the settings (`plan`, `doctor`) there is nothing to read back.
async fn read_back(connections: &Connections, cluster: &ClusterId) -> Result<Earlier, Arc<DeliveryError>> {
    match &connections.management_api {
        Some(api) => api.read_back(cluster).await.map_err(Arc::new),
        None => Ok(Earlier::NotOffered),
    }
}

//! Where readings come from: Contrabass and OpenStack, or a test.

use std::{future::Future, sync::atomic::Ordering::Relaxed};

use multinic_cloud::{Part, ReadRequest};
use multinic_model::{ProviderId, inventory::Inventory};

use crate::{Connections, Place, PlaceError, resolve::Account};

/// What can resolve a provider and read its places.
pub trait Source: Send + Sync + 'static {
    /// What has to be known of a provider to read its places.
    type Account: Clone + Send + Sync + 'static;

    /// Resolves a provider.
    fn account(&self, provider: &ProviderId) -> impl Future<Output = Result<Self::Account, PlaceError>> + Send;

    /// Reads one of its places, completely, or fails.
    fn read(
        &self,
        account: &Self::Account,
        place: &Place,
        request: &ReadRequest,
    ) -> impl Future<Output = Result<Inventory, PlaceError>> + Send;

    /// Looks at a part again and puts it into `base`, which is what an earlier reading said to the same request.
    fn read_part(
        &self,
        account: &Self::Account,
        place: &Place,
        request: &ReadRequest,
        base: &Inventory,
        part: &Part,
    ) -> impl Future<Output = Result<Inventory, PlaceError>> + Send;
}

impl Source for Connections {
    type Account = Account;

    async fn account(&self, provider: &ProviderId) -> Result<Account, PlaceError> {
        Self::account(self, provider).await
    }

    async fn read(&self, account: &Account, place: &Place, request: &ReadRequest) -> Result<Inventory, PlaceError> {
        let credentials = account.in_project(place);
        self.readings.whole.fetch_add(1, Relaxed);
        let inventory = self.cloud.read(&credentials, request).await;
        inventory.map_err(PlaceError::Cloud)
    }

    async fn read_part(
        &self,
        account: &Account,
        place: &Place,
        request: &ReadRequest,
        base: &Inventory,
        part: &Part,
    ) -> Result<Inventory, PlaceError> {
        let credentials = account.in_project(place);
        self.readings.parts.fetch_add(1, Relaxed);
        let inventory = self.cloud.read_part(&credentials, request, base, part).await;
        inventory.map_err(PlaceError::Cloud)
    }
}

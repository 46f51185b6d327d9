//! A source that answers when the test says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use multinic_cloud::{Part, ReadRequest};
use multinic_contrabass::ContrabassError;
use multinic_model::{ProviderId, inventory::Inventory};
use tokio::{sync::Semaphore, task::yield_now};

use crate::{Place, PlaceError, readings::Source};

/// A cloud that counts, and waits to be let go on.
#[derive(Default)]
pub struct Fake {
    pub seen: Mutex<Seen>,
    /// What every project says; `None`: nothing is there.
    inventory: Mutex<Option<Inventory>>,
    /// Providers that fail.
    broken: Mutex<BTreeSet<ProviderId>>,
    /// Permits to answer, by provider; without an entry it answers at once.
    gates: Mutex<BTreeMap<ProviderId, Arc<Semaphore>>>,
}

#[derive(Default)]
pub struct Seen {
    pub accounts: Vec<ProviderId>,
    pub reads: Vec<(Place, ReadRequest)>,
    pub parts: Vec<Part>,
    pub at_once: usize,
    pub most_at_once: usize,
}

impl Fake {
    pub fn hang(&self, provider: &str) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        let provider = provider.parse().unwrap();
        self.gates.lock().unwrap().insert(provider, Arc::clone(&gate));
        gate
    }

    pub fn breaks(&self, provider: &str, broken: bool) {
        let provider: ProviderId = provider.parse().unwrap();
        let mut all = self.broken.lock().unwrap();
        if broken {
            all.insert(provider);
        } else {
            all.remove(&provider);
        }
    }

    pub fn reads(&self) -> usize {
        self.seen.lock().unwrap().reads.len()
    }

    pub fn accounts(&self) -> usize {
        self.seen.lock().unwrap().accounts.len()
    }

    pub fn last_request(&self) -> ReadRequest {
        self.seen.lock().unwrap().reads.last().unwrap().1.clone()
    }
}

/// One reading less, even when it is given up.
struct Leaving<'a>(&'a Fake);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.seen.lock().unwrap().at_once -= 1;
    }
}

impl Source for Fake {
    type Account = ProviderId;

    async fn account(&self, provider: &ProviderId) -> Result<ProviderId, PlaceError> {
        self.seen.lock().unwrap().accounts.push(provider.clone());
        yield_now().await;
        Ok(provider.clone())
    }

    async fn read(&self, account: &ProviderId, place: &Place, request: &ReadRequest) -> Result<Inventory, PlaceError> {
        self.enter(|seen| seen.reads.push((place.clone(), request.clone())));
        self.answer(account, place).await
    }

    async fn read_part(
        &self,
        account: &ProviderId,
        place: &Place,
        _: &ReadRequest,
        _: &Inventory,
        part: &Part,
    ) -> Result<Inventory, PlaceError> {
        self.enter(|seen| seen.parts.push(part.clone()));
        self.answer(account, place).await
    }
}

impl Fake {
    /// What the project says from now on.
    pub fn says(&self, inventory: Inventory) {
        *self.inventory.lock().unwrap() = Some(inventory);
    }

    /// The parts that were read since the last time.
    pub fn parts(&self) -> Vec<Part> {
        std::mem::take(&mut self.seen.lock().unwrap().parts)
    }

    fn enter(&self, note: impl FnOnce(&mut Seen)) {
        let mut seen = self.seen.lock().unwrap();
        note(&mut seen);
        seen.at_once += 1;
        seen.most_at_once = seen.most_at_once.max(seen.at_once);
    }

    async fn answer(&self, account: &ProviderId, place: &Place) -> Result<Inventory, PlaceError> {
        let _leaving = Leaving(self);
        let gate = self.gates.lock().unwrap().get(account).cloned();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        if self.broken.lock().unwrap().contains(account) {
            let url = "http://contrabass".to_owned();
            return Err(PlaceError::Contrabass(ContrabassError::NotFound { url, detail: None }));
        }
        let said = self.inventory.lock().unwrap().clone();
        Ok(said.unwrap_or_else(|| Inventory {
            project: place.project,
            servers: BTreeMap::new(),
            subnets: BTreeMap::new(),
            ports: BTreeMap::new(),
            unreadable: Vec::new(),
        }))
    }
}

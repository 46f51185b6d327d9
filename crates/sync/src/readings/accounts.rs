//! One question to Contrabass for all places of a provider that are read at about the same time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use multinic_model::ProviderId;
use tokio::time::Instant;

use super::Source;
use crate::PlaceError;

type Resolving<A> = Shared<BoxFuture<'static, Result<A, Arc<PlaceError>>>>;

/// The accounts by provider, for a short while.
pub(super) struct Accounts<A> {
    life: Duration,
    entries: Mutex<BTreeMap<ProviderId, Entry<A>>>,
}

struct Entry<A> {
    began: Instant,
    resolving: Resolving<A>,
}

/// An account on loan: whoever finds that it does not work gives it back.
pub(super) struct Loan<A> {
    pub account: A,
    resolving: Resolving<A>,
}

impl<A: Clone + Send + Sync + 'static> Accounts<A> {
    pub fn new(life: Duration) -> Self {
        Self {
            life,
            entries: Mutex::default(),
        }
    }

    /// The provider's account: that of a question under way, or of one not long ago, or of a new one.
    pub async fn lend<S>(&self, source: &Arc<S>, provider: &ProviderId) -> Result<Loan<A>, Arc<PlaceError>>
    where
        S: Source<Account = A>,
    {
        let resolving = self.resolving(source, provider);
        match resolving.clone().await {
            Ok(account) => Ok(Loan { account, resolving }),
            Err(error) => {
                self.forget(provider, &resolving);
                Err(error)
            }
        }
    }

    /// The next one asks anew.
    pub fn give_back(&self, provider: &ProviderId, loan: &Loan<A>) {
        self.forget(provider, &loan.resolving);
    }

    fn resolving<S>(&self, source: &Arc<S>, provider: &ProviderId) -> Resolving<A>
    where
        S: Source<Account = A>,
    {
        let now = Instant::now();
        let mut entries = self.entries();
        // Those of providers that nobody reads any more go, too.
        entries.retain(|_, entry| entry.resolving.peek().is_none() || now < entry.began + self.life);
        let entry = entries.entry(provider.clone()).or_insert_with(|| {
            let (source, provider) = (Arc::clone(source), provider.clone());
            let resolving = async move { source.account(&provider).await.map_err(Arc::new) };
            Entry {
                began: now,
                resolving: resolving.boxed().shared(),
            }
        });
        entry.resolving.clone()
    }

    fn forget(&self, provider: &ProviderId, resolving: &Resolving<A>) {
        self.entries()
            .retain(|of, entry| of != provider || !entry.resolving.ptr_eq(resolving));
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<ProviderId, Entry<A>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

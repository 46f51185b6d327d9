//! The links of every provider that somebody names.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use multinic_model::ProviderId;
use tokio_util::task::AbortOnDropHandle;

use super::{LinksPace, Source, Standings, Tidings, hub::Hub, keeper::Keeper};
use crate::{observe::Metrics, settings::Current};

/// All links of one term. Dropping it ends them.
pub struct Links {
    hub: Arc<Hub>,
    pace: LinksPace,
    generation: Option<u64>,
    keepers: BTreeMap<ProviderId, AbortOnDropHandle<()>>,
}

impl Links {
    /// None yet.
    pub fn new(metrics: Metrics, pace: LinksPace) -> Self {
        Self {
            hub: Hub::new(metrics),
            pace,
            generation: None,
            keepers: BTreeMap::new(),
        }
    }

    /// From now on these providers are listened to, with the settings in force.
    pub fn want(&mut self, providers: &BTreeSet<ProviderId>, current: Option<&Arc<Current>>) {
        let source = current.map(|current| {
            let source: Arc<dyn Source> = Arc::<Current>::clone(current);
            (current.generation, source)
        });
        self.serve(providers, source);
    }

    /// From now on these providers are listened to, by what `source` says of them. Another generation begins all of them
    /// anew; without a source there are none.
    pub fn serve(&mut self, providers: &BTreeSet<ProviderId>, source: Option<(u64, Arc<dyn Source>)>) {
        let generation = source.as_ref().map(|(generation, _)| *generation);
        let renewed = generation != self.generation;
        self.generation = generation;
        let hub = &self.hub;
        self.keepers.retain(|provider, _| {
            let stays = !renewed && providers.contains(provider);
            if !stays {
                hub.close(provider);
            }
            stays
        });
        let Some((_, source)) = source else { return };
        for provider in providers {
            if !self.keepers.contains_key(provider) {
                let keeper = self.keeper(provider, &source);
                self.keepers.insert(provider.clone(), keeper);
            }
        }
    }

    fn keeper(&self, provider: &ProviderId, source: &Arc<dyn Source>) -> AbortOnDropHandle<()> {
        let keeper = Keeper {
            key: self.hub.open(provider),
            source: Arc::clone(source),
            hub: Arc::clone(&self.hub),
            pace: self.pace,
        };
        AbortOnDropHandle::new(tokio::spawn(keeper.keep()))
    }

    /// What has come for one of the providers; waits until there is something. Nothing is lost if the waiting is given up.
    pub async fn next(&mut self) -> Tidings {
        self.hub.next().await
    }

    /// Where the links stand, for those who only look.
    pub fn standings(&self) -> Standings {
        self.hub.standings()
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        for provider in self.keepers.keys() {
            self.hub.close(provider);
        }
    }
}

//! Who takes part in a pass, and as what.

use std::{collections::BTreeMap, sync::Arc};

use multinic_model::{ClusterId, ConfigKey, Selection};
use multinic_planner::Claim;
use multinic_sync::{Config, Place};

use crate::{
    departures::Queued,
    engine::Memory,
    index::{Record, Role, claims, part},
    status::delivered_generation,
};

/// One config in a pass.
#[derive(Clone, Debug)]
pub struct Part {
    /// The config in its newest version.
    pub record: Arc<Record>,
    /// How it takes part.
    pub role: Role,
    /// The nodes that its record names.
    pub claims: Vec<Claim>,
    /// Its spec is not the one that was last delivered in full.
    pub changed: bool,
    /// Nothing new may be delivered for it: it has no finalizer, or no record.
    pub hold: Option<Hold>,
}

/// Why nothing new may be delivered for a config.
#[derive(Clone, Debug)]
pub enum Hold {
    /// It is gone or going; the watch will say so.
    Gone,
    /// A write was refused; this is said in its status.
    Refused(String),
}

/// Everybody.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// The configs, by key.
    pub parts: BTreeMap<ConfigKey, Part>,
    /// What deleted configs have left behind.
    pub queued: Vec<Queued>,
}

impl Cast {
    /// From what is known at the beginning of a pass.
    pub fn new(records: Vec<Arc<Record>>, queued: Vec<Queued>, memory: &Memory) -> Self {
        let parts = records
            .into_iter()
            .map(|record| (record.key.clone(), Part::new(record, memory)));
        Self {
            parts: parts.collect(),
            queued,
        }
    }

    /// As the pipeline takes them.
    pub fn configs(&self, cluster: &ClusterId) -> Vec<Config> {
        let parts = self.parts.values().map(|part| part.config(cluster));
        let queued = self.queued.iter().map(|queued| Config::Departed {
            key: queued_key(queued),
            cluster: cluster.clone(),
            delivered: queued.claims.iter().cloned().collect(),
        });
        parts.chain(queued).collect()
    }

    /// The newest version of a config.
    pub fn renew(&mut self, record: Arc<Record>) {
        if let Some(part) = self.parts.get_mut(&record.key) {
            part.record = record;
        }
    }

    /// From now on nothing new is delivered for this config.
    pub fn hold(&mut self, key: &ConfigKey, why: Hold) {
        if let Some(part) = self.parts.get_mut(key) {
            part.hold = Some(why);
        }
    }
}

impl Part {
    fn new(record: Arc<Record>, memory: &Memory) -> Self {
        let delivered = memory
            .delivered
            .get(&record.uid)
            .copied()
            .or_else(|| delivered_generation(&record.status));
        Self {
            role: part(&record).1,
            claims: claims(&record.status).into_iter().collect(),
            changed: delivered != Some(record.generation),
            hold: None,
            record,
        }
    }

    /// What it asks for, if anything is delivered for it in this pass.
    pub fn selection(&self) -> Option<&Arc<Selection>> {
        let asks = self.role == Role::Present && self.hold.is_none();
        self.record.spec.as_ref().ok().filter(|_| asks)
    }

    /// The project it is about.
    pub fn place(&self) -> Option<Place> {
        self.selection().map(|selection| Place {
            provider: selection.provider.clone(),
            project: selection.project,
        })
    }

    /// Whether it is to leave this cluster.
    pub const fn departs(&self) -> bool {
        matches!(self.role, Role::Deleted | Role::Moving)
    }

    fn config(&self, cluster: &ClusterId) -> Config {
        let (key, cluster, delivered) = (self.record.key.clone(), cluster.clone(), self.claims.clone());
        match self.selection() {
            Some(selection) => Config::Present {
                selection: Selection::clone(selection),
                delivered,
                changed: self.changed,
            },
            None if self.departs() => Config::Departed {
                key,
                cluster,
                delivered,
            },
            None => Config::Held {
                key,
                cluster,
                delivered,
            },
        }
    }
}

/// The key under which a deleted config takes part. Another one of the same name may exist again.
pub fn queued_key(queued: &Queued) -> ConfigKey {
    ConfigKey {
        namespace: queued.key.namespace.clone(),
        name: format!("{} (deleted, uid {})", queued.key.name, queued.uid),
    }
}

//! Which OpenstackConfig takes part in which cluster, and how. Pure.
//!
//! A config takes part in exactly one unit of work at a time. One that was moved to another cluster first leaves the old
//! one, as if it had been deleted there; only then does it come to the new one. So its record never has to speak of two
//! clusters, and a MAC address is given up before another node may have it.

mod record;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use multinic_model::{ClusterId, ConfigKey, ProviderId};

pub use record::{ALLOW_MASS_REMOVAL, Record, claims, reference};

/// What one pass is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unit {
    /// One cluster with all its configs.
    Cluster(ClusterId),
    /// The configs that belong to no cluster: those that cannot be read and have delivered nothing.
    Nowhere,
}

impl Unit {
    /// The cluster, if it is one.
    pub const fn cluster(&self) -> Option<&ClusterId> {
        match self {
            Self::Cluster(cluster) => Some(cluster),
            Self::Nowhere => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(cluster) => fmt::Display::fmt(cluster, f),
            Self::Nowhere => f.write_str("(none)"),
        }
    }
}

/// How a config takes part in its unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It asks for something.
    Present,
    /// It is being deleted.
    Deleted,
    /// Its spec names another cluster now; what it delivered here is withdrawn first.
    Moving,
    /// It cannot be read; what it delivered stays.
    Unreadable,
}

/// Where a config takes part, and how.
pub fn part(record: &Record) -> (Unit, Role) {
    let delivered = record.status.cluster_id.as_ref().filter(|_| record.has_claims());
    let home = |cluster: Option<&ClusterId>| cluster.map_or(Unit::Nowhere, |cluster| Unit::Cluster(cluster.clone()));
    let asked = record.spec.as_ref().ok().map(|selection| &selection.cluster);
    if record.deleted_at.is_some() {
        return (home(delivered.or(asked)), Role::Deleted);
    }
    match (asked, delivered) {
        (None, _) => (home(delivered), Role::Unreadable),
        (Some(asked), Some(delivered)) if asked != delivered => (home(Some(delivered)), Role::Moving),
        (Some(asked), _) => (home(Some(asked)), Role::Present),
    }
}

/// Every config, by unit.
#[derive(Debug, Default)]
pub struct Index {
    records: BTreeMap<ConfigKey, Arc<Record>>,
    units: BTreeMap<Unit, BTreeSet<ConfigKey>>,
}

impl Index {
    /// Takes in what the watch has seen of one config; `None` if it is no more. Returns the units that have something to
    /// do now.
    pub fn see(&mut self, key: &ConfigKey, seen: Option<Arc<Record>>) -> BTreeSet<Unit> {
        match (seen, self.records.get(key)) {
            (None, _) => self.take_out(key).into_iter().collect(),
            (Some(seen), Some(known)) if known.uid == seen.uid => self.renew(&Arc::clone(known), seen),
            (Some(seen), _) => {
                let replaced = self.take_out(key);
                let unit = self.put_in(seen);
                replaced.into_iter().chain([unit]).collect()
            }
        }
    }

    /// Takes in what the API server answered to a write of our own, which the watch may bring much later. What was
    /// deleted or replaced meanwhile does not come back.
    pub fn wrote(&mut self, written: Arc<Record>) -> BTreeSet<Unit> {
        match self.records.get(&written.key) {
            Some(known) if known.uid == written.uid => self.renew(&Arc::clone(known), written),
            _ => BTreeSet::new(),
        }
    }

    fn renew(&mut self, known: &Record, newer: Arc<Record>) -> BTreeSet<Unit> {
        if is_older(&newer.resource_version, &known.resource_version) {
            return BTreeSet::new();
        }
        let (before, after) = (part(known), part(&newer));
        let asks = newer.asks_for_something_else(known);
        let key = newer.key.clone();
        self.records.insert(key.clone(), newer);
        if before.0 != after.0 {
            self.leave(&key, &before.0);
            self.units.entry(after.0.clone()).or_default().insert(key);
        }
        if asks || before != after {
            BTreeSet::from([before.0, after.0])
        } else {
            BTreeSet::new()
        }
    }

    fn put_in(&mut self, record: Arc<Record>) -> Unit {
        let (unit, _) = part(&record);
        self.units.entry(unit.clone()).or_default().insert(record.key.clone());
        self.records.insert(record.key.clone(), record);
        unit
    }

    fn take_out(&mut self, key: &ConfigKey) -> Option<Unit> {
        let (unit, _) = part(&*self.records.remove(key)?);
        self.leave(key, &unit);
        Some(unit)
    }

    fn leave(&mut self, key: &ConfigKey, unit: &Unit) {
        if let Some(keys) = self.units.get_mut(unit) {
            keys.remove(key);
            if keys.is_empty() {
                self.units.remove(unit);
            }
        }
    }

    /// The configs of a unit, by key.
    pub fn of(&self, unit: &Unit) -> Vec<Arc<Record>> {
        let keys = self.units.get(unit).into_iter().flatten();
        keys.filter_map(|key| self.records.get(key).cloned()).collect()
    }

    /// Every unit that has configs.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.keys()
    }

    /// Whether a unit has any.
    pub fn has(&self, unit: &Unit) -> bool {
        self.units.contains_key(unit)
    }

    /// Every provider that a config asks something of.
    pub fn providers(&self) -> BTreeSet<ProviderId> {
        let named: BTreeSet<_> = self.asked().map(|(provider, _)| provider).collect();
        named.into_iter().cloned().collect()
    }

    /// The units that ask something of this provider.
    pub fn of_provider(&self, provider: &ProviderId) -> BTreeSet<Unit> {
        let of_it = self.asked().filter(|(asked, _)| *asked == provider);
        of_it.map(|(_, record)| part(record).0).collect()
    }

    fn asked(&self) -> impl Iterator<Item = (&ProviderId, &Record)> {
        let present = self.records().filter(|record| record.deleted_at.is_none());
        present.filter_map(|record| Some((&record.spec.as_ref().ok()?.provider, record)))
    }

    /// Every config, by key.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(AsRef::as_ref)
    }
}

/// Whether one version of an object is older than another. API servers count (guaranteed since Kubernetes 1.35); of one
/// that does not, what comes later is taken for newer.
fn is_older(version: &str, than: &str) -> bool {
    match (version.parse::<u128>(), than.parse::<u128>()) {
        (Ok(version), Ok(than)) => version < than,
        _ => false,
    }
}

#[cfg(test)]
mod tests;

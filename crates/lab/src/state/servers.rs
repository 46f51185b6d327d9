//! Servers, findable by age, id and name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ids::Id;

/// A Nova server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// A UUID, unless the builder was told otherwise.
    pub id: Id,
    /// Not unique.
    pub name: String,
    /// Its project.
    pub project: Id,
    /// Who made it.
    pub user: Id,
    /// `ACTIVE`, `SHUTOFF`, `ERROR`, …
    pub status: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// Its number: what Nova sorts by, newest first.
    pub number: u64,
}

/// The servers and their indexes.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    all: BTreeMap<u64, Server>,
    numbers: HashMap<Id, u64>,
    namesakes: HashMap<String, BTreeSet<u64>>,
}

impl Servers {
    /// By id, in the exact form with hyphens; upper case is the same.
    pub fn get(&self, id: &str) -> Option<&Server> {
        let number = self
            .numbers
            .get(id)
            .or_else(|| self.numbers.get(id.to_ascii_lowercase().as_str()))?;
        self.all.get(number)
    }

    /// All, the newest first, from below `before` on.
    pub fn newest_first(&self, before: u64) -> impl Iterator<Item = &Server> {
        self.all.range(..before).rev().map(|(_, server)| server)
    }

    /// Those of that name without regard to case, the newest first, from below `before` on.
    pub fn named(&self, name: &str, before: u64) -> impl Iterator<Item = &Server> {
        let numbers = self
            .namesakes
            .get(&name.to_lowercase())
            .into_iter()
            .flat_map(move |all| all.range(..before).rev());
        numbers.filter_map(|number| self.all.get(number))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds one, or replaces the one of the same number.
    pub fn insert(&mut self, server: Server) {
        if let Some(old) = self.all.get(&server.number).map(|old| Id::clone(&old.id)) {
            self.remove(&old);
        }
        self.numbers.insert(Id::clone(&server.id), server.number);
        self.namesakes
            .entry(server.name.to_lowercase())
            .or_default()
            .insert(server.number);
        self.all.insert(server.number, server);
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &str) -> Option<Server> {
        let number = self.numbers.remove(id)?;
        let server = self.all.remove(&number)?;
        if let Some(numbers) = self.namesakes.get_mut(&server.name.to_lowercase()) {
            numbers.remove(&number);
        }
        Some(server)
    }
}

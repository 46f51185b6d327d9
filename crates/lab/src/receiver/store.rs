//! What the receiver remembers.

use std::collections::BTreeMap;

use multinic_model::NodeConfig;
use serde_json::{Map, Value, json};

use super::Post;
use crate::time::seconds;

/// One node config in force.
#[derive(Debug)]
pub(super) struct Stored {
    /// The config as it was understood.
    pub config: NodeConfig,
    /// Raised by every change.
    pub revision: u64,
    /// A date that counts changes, not time: the same in every run.
    pub updated: String,
}

/// What became of one node of a POST.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Created,
    Updated,
    Unchanged,
}

/// Everything.
#[derive(Debug)]
pub(super) struct Store {
    pub token: Option<String>,
    pub rejected: BTreeMap<String, String>,
    pub page_max: usize,
    pub posts: Vec<Post>,
    clusters: BTreeMap<String, BTreeMap<String, Stored>>,
    changes: i64,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            token: None,
            rejected: BTreeMap::new(),
            page_max: 500,
            posts: Vec::new(),
            clusters: BTreeMap::new(),
            changes: 0,
        }
    }
}

impl Store {
    /// Forgets every node config.
    pub fn lose(&mut self) {
        self.clusters.clear();
    }

    /// Takes a node config in.
    pub fn put(&mut self, cluster: &str, config: NodeConfig) -> (Change, u64) {
        let nodes = self.clusters.entry(cluster.to_owned()).or_default();
        let known = nodes.get(config.node_name.as_str());
        let (change, revision) = match known {
            None => (Change::Created, 1),
            Some(stored) if stored.config == config => return (Change::Unchanged, stored.revision),
            Some(stored) => (Change::Updated, stored.revision + 1),
        };
        self.changes += 1;
        let updated = seconds(1_767_225_600 + self.changes);
        nodes.insert(
            config.node_name.as_str().to_owned(),
            Stored {
                config,
                revision,
                updated,
            },
        );
        (change, revision)
    }

    /// Takes a node config out; false if there was none.
    pub fn delete(&mut self, cluster: &str, node: &str) -> bool {
        self.clusters
            .get_mut(cluster)
            .is_some_and(|nodes| nodes.remove(node).is_some())
    }

    /// At most `limit` nodes behind `cursor`, and the cursor behind them if there are more.
    pub fn page(&self, cluster: &str, limit: usize, cursor: Option<&str>) -> (Vec<Value>, Option<String>) {
        let nodes = self.clusters.get(cluster).into_iter().flatten();
        let mut rest = nodes
            .filter(|(name, _)| cursor.is_none_or(|cursor| name.as_str() > cursor))
            .peekable();
        let mut items = Vec::new();
        let mut last = None;
        for (name, stored) in rest.by_ref().take(limit) {
            items.push(item(stored));
            last = Some(name.clone());
        }
        let more = rest.peek().is_some();
        (items, last.filter(|_| more))
    }

    /// `{nodeName: node config}`.
    pub fn node_configs(&self, cluster: &str) -> Value {
        let nodes = self.clusters.get(cluster).into_iter().flatten();
        nodes
            .map(|(name, stored)| (name.clone(), json!(stored.config)))
            .collect::<Map<_, _>>()
            .into()
    }
}

fn item(stored: &Stored) -> Value {
    let mut item = json!(stored.config);
    item["revision"] = stored.revision.into();
    item["updatedAt"] = stored.updated.as_str().into();
    item
}

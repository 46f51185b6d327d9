//! Interfaces do not move: from its first delivery until its node no longer holds it, one has one id, and no other one of
//! the node has it too.

use std::collections::BTreeMap;

use serde_json::Value;
use stage::{Failure, Stage};

/// What every node holds, as the POSTs say in their order.
#[derive(Default)]
pub struct Watchdog {
    /// By cluster and node: `{mac: id}`.
    held: BTreeMap<(String, String), BTreeMap<String, u64>>,
    posts: usize,
}

impl Watchdog {
    /// Takes in what was POSTed since the last look.
    pub fn look(&mut self, stage: &Stage) -> Result<(), Failure> {
        let posts = stage.receiver.posts();
        for post in posts.iter().skip(self.posts) {
            for node in post.json().as_array().into_iter().flatten() {
                self.take(&post.cluster, node)?;
            }
        }
        self.posts = posts.len();
        Ok(())
    }

    fn take(&mut self, cluster: &str, node: &Value) -> Result<(), Failure> {
        let name = node["nodeName"].as_str().unwrap_or_default().to_owned();
        let mut now = BTreeMap::new();
        for nic in node["interfaces"].as_array().into_iter().flatten() {
            let (mac, id) = (nic["macAddress"].as_str(), nic["id"].as_u64());
            now.insert(mac.ok_or("no MAC")?.to_owned(), id.filter(|id| *id > 0).ok_or("no id")?);
        }
        let distinct: std::collections::BTreeSet<_> = now.values().collect();
        if distinct.len() < now.len() {
            return Err(format!("two interfaces of one id: {node}").into());
        }
        let before = self
            .held
            .insert((cluster.to_owned(), name), now.clone())
            .unwrap_or_default();
        let moved = now
            .iter()
            .find(|(mac, id)| before.get(*mac).is_some_and(|before| before != *id));
        match moved {
            None => Ok(()),
            Some((mac, _)) => Err(format!("{mac} moved in {cluster}: {before:?}, then {node}").into()),
        }
    }

    /// Nodes with an interface.
    pub fn nodes(&self) -> usize {
        self.held.values().filter(|held| !held.is_empty()).count()
    }

    /// Interfaces of all nodes.
    pub fn interfaces(&self) -> usize {
        self.held.values().map(BTreeMap::len).sum()
    }

    /// What was seen.
    pub fn summary(&self) -> String {
        format!(
            "{} POSTs, no interface moved, no difference at any quiet point",
            self.posts
        )
    }
}

//! Random histories against a model in memory: what a database answers is what a map would.

use std::collections::BTreeMap;

use multinic_management_api::store::{Store, changes::ChangeKind, nodes::Filter, upsert::Outcome};
use multinic_model::NodeConfig;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::support::{
    configs::{cluster, name, node, put},
    on_both_databases,
};

/// Nodes by number, and every revision ever given to one.
#[derive(Default)]
struct Model {
    nodes: BTreeMap<usize, NodeConfig>,
    revisions: BTreeMap<usize, u64>,
    changes: u64,
}

impl Model {
    fn put(&mut self, number: usize, config: &NodeConfig) -> Outcome {
        let revision = self.revisions.entry(number).or_default();
        let known = self.nodes.insert(number, config.clone());
        if known.as_ref() == Some(config) {
            return Outcome::Unchanged { revision: *revision };
        }
        *revision += 1;
        self.changes += 1;
        match known {
            Some(_) => Outcome::Updated { revision: *revision },
            None => Outcome::Created { revision: *revision },
        }
    }

    fn remove(&mut self, number: usize) -> Option<u64> {
        self.nodes.remove(&number)?;
        self.changes += 1;
        let revision = self.revisions.entry(number).or_default();
        *revision += 1;
        Some(*revision)
    }
}

/// A node's interfaces never meet another's here: conflicts have tests of their own.
async fn step(store: &Store, model: &mut Model, random: &mut StdRng) {
    if random.random_ratio(1, 4) {
        let number = random.random_range(0..6);
        let removed = store.remove(&cluster(), &name(number), "operator").await.ok();
        assert_eq!(removed, model.remove(number));
        return;
    }
    let batch: BTreeMap<usize, NodeConfig> = (0..random.random_range(1..5))
        .map(|_| (random.random_range(0..6), random.random_range(0..4)))
        .map(|(number, interfaces)| (number, node(number, interfaces)))
        .collect();
    let outcomes = put(store, batch.values().cloned()).await;
    let expected: Vec<_> = batch
        .iter()
        .map(|(number, config)| model.put(*number, config))
        .collect();
    assert_eq!(outcomes, expected);
}

on_both_databases! {
    async fn random_histories_end_as_in_the_model(database: TestDatabase) {
        let store = database.store().await;
        let mut model = Model::default();
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..60 {
            step(&store, &mut model, &mut random).await;
            let kept = store.nodes(&cluster(), &Filter::default(), None, 100).await.unwrap();
            let kept: Vec<_> = kept.into_iter().map(|node| node.config).collect();
            assert_eq!(kept, model.nodes.values().cloned().collect::<Vec<_>>());
        }
        let changes = store.changes(&cluster(), 0, 10_000).await.unwrap();
        assert_eq!(changes.len() as u64, model.changes);
        let mut replayed = BTreeMap::new();
        for change in changes {
            match change.kind {
                ChangeKind::Deleted => drop(replayed.remove(&change.config.node_name)),
                ChangeKind::Created | ChangeKind::Updated => drop(replayed.insert(change.config.node_name.clone(), change.config)),
            }
        }
        assert_eq!(replayed.into_values().collect::<Vec<_>>(), model.nodes.into_values().collect::<Vec<_>>(), "the history alone tells the whole");
    }
}

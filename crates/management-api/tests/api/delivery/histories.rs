//! Random histories of changes and faults: in the end the cluster is what the store says.

use std::collections::BTreeMap;

use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::stage::{NAMESPACE, OBJECTS, all_delivered, one_cluster, post};
use crate::support::{
    api::{Api, NODES},
    configs::node_json,
    database::TestDatabase,
};

const FAULTS: [Fault; 6] = [
    Fault::Status(409),
    Fault::Status(422),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Reset,
    Fault::AnswerHeld,
];

async fn step(api: &Api, lab: &KubernetesLab, random: &mut StdRng) {
    let node = format!("worker-{}", random.random_range(1..=6));
    match random.random_range(0..10) {
        0..=4 => {
            let number = random.random_range(1..=6);
            let interfaces = random.random_range(0..=3);
            let batch: Vec<_> = (number..=6).map(|number| node_json(number, interfaces)).collect();
            post(api, "biz-1", &batch).await;
        }
        5 => drop(api.delete(&format!("{NODES}/{node}")).await),
        6 | 7 => {
            let verb = *["get", "patch", "delete", "list"].choose(random).unwrap();
            let fault = FAULTS.choose(random).unwrap().clone();
            lab.fail(Matcher::any().verb(verb), fault, Times::N(random.random_range(1..=3)));
        }
        8 => drop(lab.delete(OBJECTS, NAMESPACE, &node)),
        _ => lab.restart().await.unwrap(),
    }
}

/// What the store says that the cluster should hold: of each node its interfaces' addresses.
async fn wanted(api: &Api) -> BTreeMap<String, Vec<Value>> {
    let answer = api.get(&format!("{NODES}?limit=100")).await;
    interfaces(
        answer.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (&item["nodeName"], &item["interfaces"])),
    )
}

fn held(lab: &KubernetesLab) -> BTreeMap<String, Vec<Value>> {
    let objects = lab.list(OBJECTS, Some(NAMESPACE)).unwrap_or_default();
    interfaces(
        objects
            .iter()
            .map(|object| (&object["metadata"]["name"], &object["spec"]["interfaces"])),
    )
}

/// Without those that have none: their objects may be there or not.
fn interfaces<'v>(all: impl Iterator<Item = (&'v Value, &'v Value)>) -> BTreeMap<String, Vec<Value>> {
    let addresses = |list: &Value| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| json!([one["id"], one["macAddress"]]))
            .collect()
    };
    all.map(|(name, list)| (name.as_str().unwrap().to_owned(), addresses(list)))
        .filter(|(_, list): &(String, Vec<Value>)| !list.is_empty())
        .collect()
}

async fn history(database: TestDatabase, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let (lab, kubeconfigs) = one_cluster().await;
    let mut api = kubeconfigs
        .serve_with(&database, |options| {
            options.request_time = std::time::Duration::from_millis(500);
        })
        .await;
    for _ in 0..25 {
        step(&api, &lab, &mut random).await;
        if random.random_range(0..8) == 0 {
            drop(api);
            database.bury_replicas().await;
            api = kubeconfigs
                .serve_with(&database, |options| {
                    options.request_time = std::time::Duration::from_millis(500);
                })
                .await;
        }
    }
    lab.clear_faults();
    let wanted = wanted(&api).await;
    loop {
        all_delivered(&api, "biz-1").await;
        if held(&lab) == wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_history_ends_with_the_cluster_as_the_store_says_on_sqlite() {
    for seed in 0..6 {
        history(TestDatabase::sqlite(), seed).await;
    }
}

#[tokio::test]
async fn every_history_ends_with_the_cluster_as_the_store_says_on_postgres() {
    for seed in 100..103 {
        history(TestDatabase::postgres(), seed).await;
    }
}

//! Several clusters, several replicas.

use std::{collections::BTreeMap, time::Duration};

use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};

use super::stage::{Kubeconfigs, all_delivered, delivery, object_with, one_cluster, post, writes};
use crate::support::{api::PROVIDERS, configs::node_json, database::TestDatabase, on_both_databases};

on_both_databases! {
    async fn a_cluster_that_hangs_keeps_no_other_waiting(database: TestDatabase) {
        let (good, kubeconfigs) = one_cluster().await;
        let bad = KubernetesLab::builder().start().await.unwrap();
        bad.fail(Matcher::any(), Fault::Hang, Times::Always);
        kubeconfigs.put("biz-2", &bad.kubeconfig());
        // Nothing but each cluster's own request: those of the one that hangs are of no use to anybody.
        let api = kubeconfigs.serve_with(&database, |options| {
            options.overall = 0;
            options.request_time = Duration::from_hours(1);
        }).await;
        post(&api, "biz-2", &[node_json(1, 1)]).await;
        bad.until_requests(|requests| !requests.is_empty()).await;
        for number in 1..=5 {
            post(&api, "biz-1", &[node_json(number, 1)]).await;
            object_with(&good, &format!("worker-{number}"), 1).await;
        }
    }

    async fn a_cluster_that_is_away_is_tried_once_for_all_its_nodes(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        lab.fail(Matcher::any(), Fault::Status(503), Times::Always);
        let api = kubeconfigs.serve_with(&database, |options| {
            options.backoff.first = Duration::from_hours(1);
            options.backoff.most = Duration::from_hours(1);
        }).await;
        let nodes: Vec<_> = (1..=100).map(|number| node_json(number, 1)).collect();
        post(&api, "biz-1", &nodes).await;
        delivery(&api, "worker-100", |found| found["state"] == "failing").await;
        post(&api, "biz-1", &[node_json(101, 1)]).await;
        assert_eq!(lab.requests().len(), 1);
    }
}

#[tokio::test]
async fn replicas_share_the_clusters_and_write_nothing_twice() {
    let database = TestDatabase::postgres();
    let kubeconfigs = Kubeconfigs::new();
    let mut labs = BTreeMap::new();
    for number in 1..=4 {
        let lab = KubernetesLab::builder().start().await.unwrap();
        let name = format!("biz-{number}");
        kubeconfigs.put(&name, &lab.kubeconfig());
        labs.insert(name, lab);
    }
    let replicas = [kubeconfigs.serve(&database).await, kubeconfigs.serve(&database).await];
    for interfaces in 1..=3 {
        for (index, name) in labs.keys().enumerate() {
            let nodes: Vec<_> = (1..=20).map(|number| node_json(number, interfaces)).collect();
            post(&replicas[(index + interfaces) % 2], name, &nodes).await;
        }
        for name in labs.keys() {
            all_delivered(&replicas[0], name).await;
        }
    }
    for (name, lab) in &labs {
        let written = writes(lab);
        assert_eq!(written.len(), 60, "{name}: {written:?}");
    }
}

#[tokio::test]
async fn what_a_killed_replica_held_is_finished_by_another() {
    let database = TestDatabase::postgres();
    let (lab, kubeconfigs) = one_cluster().await;
    let first = kubeconfigs.serve(&database).await;
    post(&first, "biz-1", &[node_json(9, 1)]).await;
    object_with(&lab, "worker-9", 1).await;
    all_delivered(&first, "biz-1").await;
    lab.clear_requests();
    // Written, but nobody is told: the replica dies while it waits.
    lab.fail(
        Matcher::any().verb("patch").name("worker-1"),
        Fault::AnswerHeld,
        Times::N(1),
    );
    post(&first, "biz-1", &[node_json(1, 1)]).await;
    object_with(&lab, "worker-1", 1).await;
    drop(first);

    let second = kubeconfigs.serve(&database).await;
    post(&second, "biz-1", &[node_json(2, 1)]).await;
    let waits = second.get(&format!("{PROVIDERS}/biz-1")).await;
    assert_eq!(waits.json["undelivered"], 2, "the dead one's time is not over");
    database.bury_replicas().await;
    all_delivered(&second, "biz-1").await;
    let mut written: Vec<_> = writes(&lab).into_iter().map(|(_, name, _)| name).collect();
    written.sort();
    assert_eq!(
        written,
        ["worker-1", "worker-2"],
        "what was written already is not written again"
    );
}

#[tokio::test]
async fn a_replica_that_shuts_down_leaves_its_clusters_to_others_at_once() {
    let database = TestDatabase::postgres();
    let (lab, kubeconfigs) = one_cluster().await;
    let first = kubeconfigs.serve(&database).await;
    post(&first, "biz-1", &[node_json(1, 1)]).await;
    all_delivered(&first, "biz-1").await;
    let second = kubeconfigs.serve(&database).await;
    first.stop().await;
    post(&second, "biz-1", &[node_json(1, 2)]).await;
    object_with(&lab, "worker-1", 2).await;
}

//! Who is down, who refuses, who forgets: Keystone, the receiver, a provider; and who must not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use common::{
    ADD, Cr, PROVIDER, PRUNE, Stage, Staging,
    cast::{RED, W1, W3, all, cloud, mac, red, w},
    expect::reasons,
};
use multinic_lab::{CloudBuilder, Fault, Receiver, Service};
use multinic_sync::{Failure, Outcome, Report};
use multinic_testing::expect::{ids, node, nodes};
use serde_json::json;

fn categories(report: &Report) -> Vec<&'static str> {
    let category = |failure: &Failure| match failure {
        Failure::Place { error, .. } => error.category(),
        Failure::ReadBack { error, .. } => (&**error).into(),
    };
    report.failures.iter().map(category).collect()
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_then_not_before_it_changes() {
    let stage = Stage::new(cloud());
    stage.lab.cloud().set_password("admin", "another").unwrap();
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(
        (report.outcome(), categories(&report)),
        (Outcome::Failed, vec!["login"])
    );
    for _ in 0..3 {
        let report = stage.pass(&all(), ADD).await;
        assert_eq!(categories(&report), ["rejected_earlier"]);
    }
    assert_eq!(stage.lab.requests_to(Service::Keystone).len(), 1);
    assert!(stage.receiver.posts().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_renewed_without_a_word() {
    let stage = Stage::new(cloud());
    stage.good_pass(&all(), ADD).await;
    for round in 2..5 {
        stage.lab.cloud().expire_tokens();
        let report = stage.pass(&all(), ADD).await;
        assert_eq!(report.outcome(), Outcome::Done);
        assert_eq!(
            stage.lab.requests_to(Service::Keystone).len(),
            round,
            "one login for all refused requests"
        );
    }
    assert_eq!(stage.receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_keystone_that_is_down_fails_the_pass_and_is_no_wrong_password() {
    let stage = brief().stage(cloud());
    stage.lab.cloud().set_keystone_down(true);
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(
        (report.outcome(), categories(&report)),
        (Outcome::Failed, vec!["status"])
    );
    assert!(stage.receiver.posts().is_empty());
    stage.lab.cloud().set_keystone_down(false);
    stage.good_pass(&all(), ADD).await;
    assert_eq!(stage.nodes().as_object().unwrap().len(), 3);
}

/// A stage that gives up soon.
fn brief() -> Staging {
    let mut staging = Staging::default();
    staging.pace.openstack.budget = Duration::from_millis(20);
    staging
}

#[tokio::test]
async fn a_receiver_without_get_takes_everything_in_the_order_of_age() {
    for (post, other) in [(204, 404), (200, 405), (202, 501)] {
        let staging = Staging {
            receiver: Receiver::plain(post, other).unwrap(),
            ..Staging::default()
        };
        let stage = staging.stage(cloud());
        for _ in 0..2 {
            let report = stage.good_pass(&all(), ADD).await;
            assert!(reasons(&report).contains(&"NoReadBack".to_owned()));
        }
        stage.lab.cloud().attach_port("w1", "red").unwrap();
        stage.good_pass(&all(), ADD).await;
        let after = stage.nodes();
        assert_eq!(ids(&after["w1"])[&mac(1)], 1, "{other}");
        assert_eq!(ids(&after["w1"]).len(), 2);
        assert_eq!(ids(&after["w3"]), ids(&node("w3", W3, vec![red(1, 3)])));
    }
}

#[tokio::test]
async fn a_rejected_node_is_named_and_the_others_are_delivered() {
    let stage = Stage::new(cloud());
    stage.receiver.reject("w2", "not in this cluster");
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(report.outcome(), Outcome::Failed);
    let refused: Vec<_> = report
        .undelivered()
        .map(|(_, node, why)| (node.to_string(), why.to_owned()))
        .collect();
    assert_eq!(refused, [("w2".to_owned(), "not in this cluster".to_owned())]);
    let names: Vec<_> = stage.nodes().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["w1", "w3"]);
    // All of them rejected: 422.
    stage.receiver.clear_requests();
    let report = stage.pass(&all(), ADD).await;
    assert_eq!(report.undelivered().count(), 1);
    assert_eq!(stage.posted().len(), 1, "only what is not there yet");
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_moment_gets_everything_once() {
    let stage = Stage::new(cloud());
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .times(2)
        .inject(Fault::status(500));
    assert_eq!(stage.pass(&all(), ADD).await.outcome(), Outcome::Done);
    assert_eq!(stage.posted().len(), 3);

    // Down for good: nothing is lost, the next pass delivers.
    let stage = Stage::new(cloud());
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .times(4)
        .inject(Fault::status(500));
    let report = stage.pass(&all(), ADD).await;
    assert_eq!((report.outcome(), report.undelivered().count()), (Outcome::Failed, 3));
    assert_eq!(stage.nodes(), json!({}));
    stage.good_pass(&all(), ADD).await;
    assert_eq!(stage.nodes().as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_second_update() {
    let stage = Stage::new(cloud());
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .inject(Fault::AnswerLost);
    assert_eq!(stage.pass(&all(), ADD).await.outcome(), Outcome::Done);
    let posts = stage.receiver.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0], posts[1]);
}

#[tokio::test]
async fn each_cluster_gets_its_own_nodes_only() {
    let stage = Stage::new(cloud());
    let configs = [
        w("w1").cluster(Some("cluster-a")),
        Cr::on_id("d", RED, &["w2", "w3"]).cluster(Some("cluster-b")),
        Cr::on_id("e", RED, &["w3"]).cluster(None),
    ];
    stage.good_pass(&configs, ADD).await;
    for (cluster, expected) in [
        ("cluster-a", vec!["w1"]),
        ("cluster-b", vec!["w2", "w3"]),
        (PROVIDER, vec!["w3"]),
    ] {
        let names: Vec<_> = stage
            .receiver
            .node_configs(cluster)
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, expected, "{cluster}");
    }
    assert_eq!(stage.lab.requests_to(Service::Keystone).len(), 1);
    // One cluster that cannot be read back stops itself only.
    stage.lab.cloud().attach_port("w1", "red").unwrap();
    stage.lab.cloud().attach_port("w2", "red").unwrap();
    let first = Fault::status(403);
    stage.receiver.clear_requests();
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("GET")
        .inject(first);
    let report = stage.pass(&configs, ADD).await;
    assert_eq!((report.outcome(), report.failures.len()), (Outcome::Failed, 1));
    assert_eq!(report.clusters.len(), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_takes_nothing_from_the_others() {
    let (down, unknown) = ("provider-down", "provider-unknown");
    let stage = brief().stage(cloud().provider(down).keystone_url("http://127.0.0.1:9/v3"));
    let configs = [
        w("w1"),
        Cr::on_id("d", RED, &["w2"]).provider(down),
        Cr::on_id("e", RED, &["w3"]).provider(unknown),
    ];
    for pruning in [ADD, PRUNE] {
        let report = stage.pass(&configs, pruning).await;
        assert_eq!(report.outcome(), Outcome::Failed);
        assert_eq!(categories(&report), ["connect", "not_found"]);
        assert_eq!(stage.nodes(), nodes([node("w1", W1, vec![red(1, 1)])]));
    }
    assert_eq!(stage.posted().len(), 1);
}

#[tokio::test]
async fn two_providers_of_one_cluster_are_read_side_by_side() {
    let there = Stage::new(CloudBuilder::sized(2, 1));
    let url = there.lab.keystone_url();
    let stage = Stage::new(cloud().provider("there").keystone_url(&url));
    let far = Cr::on_name("far", "test-sub", &["vm-00001", "vm-00002"]).provider("there");
    stage.good_pass(&[w("w1"), far], ADD).await;
    let names: Vec<_> = stage.nodes().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["vm-00001", "vm-00002", "w1"]);
}

//! One bad config concerns that one alone.

use multinic_lab_kubernetes::{Fault, Matcher, Times};
use serde_json::json;

use crate::stage::{CLUSTER, Cr, Stage, cloud, ids, said};

#[tokio::test]
async fn a_config_that_cannot_be_used_is_reported_on_itself() {
    let stage = Stage::new(cloud()).await;
    stage
        .apply(&Cr::red("bad", &["w2"]).credential("projectID", "not a project"))
        .await;
    stage.apply(&Cr::red("good", &["w1"])).await;
    let bad = stage.says("bad", "InvalidSpec").await;
    assert!(
        bad.status
            .unwrap()
            .conditions
            .last()
            .unwrap()
            .message
            .contains("projectID")
    );
    stage.ready("good").await;
    stage.delete("bad").await;
    stage.gone("bad").await;
}

#[tokio::test]
async fn what_a_config_has_delivered_stays_when_its_spec_becomes_useless() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.apply(&Cr::blue("b", &["w1"])).await;
    stage.ready("c").await;
    stage.ready("b").await;
    let before = stage.nodes();
    stage
        .apply(&Cr::red("c", &["w1", "w2"]).credential("projectID", "nonsense"))
        .await;
    stage.says("c", "InvalidSpec").await;
    stage.apply(&Cr::blue("b", &["w1", "w3"])).await;
    stage.until("b", |config| said(config, "Ready").is_some()).await;
    assert_eq!(
        (&stage.nodes()["w1"], &stage.nodes()["w2"]),
        (&before["w1"], &before["w2"])
    );
    stage.delete("c").await;
    stage.gone("c").await;
    assert_eq!(stage.nodes()["w2"]["interfaces"], json!([]));
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 1, "the other one's share");
}

/// Only the lab's Kubernetes API can be made to fail.
#[tokio::test]
async fn a_config_that_does_not_take_our_finalizer_is_not_delivered_and_hinders_nobody() {
    let stage = Stage::new(cloud()).await;
    let Some(lab) = &stage.kubernetes.lab else { return };
    lab.fail(
        Matcher::any().verb("patch").name("bad").subresource(""),
        Fault::Status(403),
        Times::Always,
    );
    stage.kubernetes_apply(&Cr::red("bad", &["w2"]));
    stage.apply(&Cr::red("good", &["w1"])).await;
    stage.ready("good").await;
    stage.says("bad", "NotRecorded").await;
    assert!(
        stage.nodes().get("w2").is_none(),
        "what nobody has recorded could never be withdrawn"
    );
    lab.clear_faults();
    stage.ready("bad").await;
    assert_eq!(ids(&stage.nodes()["w2"]).len(), 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_written_stops_the_delivery_of_its_config_alone() {
    let stage = Stage::new(cloud()).await;
    let Some(lab) = &stage.kubernetes.lab else { return };
    lab.fail(
        Matcher::any().name("bad").subresource("status"),
        Fault::Status(500),
        Times::Always,
    );
    stage.kubernetes_apply(&Cr::red("bad", &["w2"]));
    stage.apply(&Cr::red("good", &["w1"])).await;
    stage.ready("good").await;
    assert!(stage.nodes().get("w2").is_none());
    lab.clear_faults();
    stage.ready("bad").await;
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).len() == 1).await;
}

#[tokio::test]
async fn conflicts_and_a_restarting_api_server_lose_nothing() {
    let stage = Stage::new(cloud()).await;
    let Some(lab) = &stage.kubernetes.lab else { return };
    lab.fail(
        Matcher::any().verb("patch").resource("openstackconfigs"),
        Fault::Status(409),
        Times::N(2),
    );
    stage.kubernetes_apply(&Cr::red("c", &["w1"]));
    stage.ready("c").await;
    lab.restart().await.unwrap();
    lab.compact();
    lab.drop_watches();
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.ready("c").await;
    stage.delete("c").await;
    stage.gone("c").await;
    assert_eq!(stage.nodes()["w2"]["interfaces"], json!([]));
}

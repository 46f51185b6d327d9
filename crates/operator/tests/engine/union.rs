//! Several configs that select one VM: always the union, in whatever order things happen.

use multinic_lab::{Fault, Service};
use serde_json::json;

use crate::stage::{CLUSTER, Cr, OTHER_PROVIDER, PROJECT, PROVIDER, Stage, W1, blue, cloud, ids, node, nodes, red};

fn both() -> [Cr; 2] {
    [Cr::red("r", &["w1"]), Cr::blue("b", &["w1"])]
}

#[tokio::test]
async fn two_configs_of_one_vm_are_one_node_config_whichever_comes_first() {
    for order in [[0, 1], [1, 0]] {
        let stage = Stage::new(cloud()).await;
        for which in order {
            stage.apply(&both()[which]).await;
            stage.ready(both()[which].name()).await;
        }
        let expected = if order == [0, 1] {
            vec![red(1, 1), blue(2, 1)]
        } else {
            vec![blue(1, 1), red(2, 1)]
        };
        assert_eq!(stage.nodes(), nodes([node("w1", W1, expected)]));
    }
}

#[tokio::test]
async fn two_configs_that_are_there_when_the_operator_comes_are_one_post() {
    let mut stage = Stage::new(cloud()).await;
    stage.end().await;
    for cr in both() {
        stage.apply(&cr).await;
    }
    stage.begin().await;
    stage.ready("r").await;
    stage.ready("b").await;
    assert_eq!(stage.receiver.posts().len(), 1);
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 2);
}

#[tokio::test]
async fn deleting_one_of_two_configs_takes_only_its_share_and_moves_no_id() {
    for gone in ["r", "b"] {
        let stage = Stage::new(cloud()).await;
        for cr in both() {
            stage.apply(&cr).await;
            stage.ready(cr.name()).await;
        }
        stage.delete(gone).await;
        stage.gone(gone).await;
        let left = if gone == "r" { blue(2, 1) } else { red(1, 1) };
        assert_eq!(stage.nodes(), nodes([node("w1", W1, vec![left])]));
        if gone == "r" {
            stage.apply(&both()[0]).await;
            stage.ready("r").await;
            assert_eq!(stage.nodes(), nodes([node("w1", W1, vec![red(1, 1), blue(2, 1)])]));
        }
    }
}

#[tokio::test]
async fn after_a_restart_while_one_provider_is_down_nothing_of_its_share_is_lost() {
    let two_providers = cloud().provider(OTHER_PROVIDER).admin("other-admin");
    let mut stage = Stage::new(two_providers).await;
    stage.apply(&Cr::red("r", &["w1"])).await;
    stage
        .apply(&Cr::blue("b", &["w1"]).credential("openstackProviderID", OTHER_PROVIDER))
        .await;
    stage.ready("r").await;
    stage.ready("b").await;
    let before = stage.nodes();
    assert_eq!(ids(&before["w1"]).len(), 2);
    stage.kill().await;
    stage
        .lab
        .faults()
        .at(Service::Contrabass)
        .get(OTHER_PROVIDER)
        .always()
        .inject(Fault::status(503));
    stage.receiver.clear_requests();
    stage.begin().await;
    stage.says("b", "ContrabassUnavailable").await;
    stage.apply(&Cr::red("r", &["w1", "w2"])).await;
    stage.ready("r").await;
    assert_eq!(ids(&stage.nodes()["w1"]), ids(&before["w1"]));
    assert_eq!(ids(&stage.nodes()["w2"]).len(), 1, "what can be seen goes on");
    stage.lab.faults().clear();
    stage.ready("b").await;
    assert_eq!(stage.nodes()["w1"], before["w1"]);
    assert!(
        stage
            .lab
            .requests_to(Service::Contrabass)
            .iter()
            .any(|request| request.path().contains(PROVIDER))
    );
    assert_eq!(PROJECT.len(), 32);
}

#[tokio::test]
async fn the_same_vm_in_two_clusters_is_two_nodes() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("r", &["w1"])).await;
    stage.apply(&Cr::blue("b", &["w1"]).cluster("another")).await;
    stage.ready("r").await;
    stage.ready("b").await;
    assert_eq!(
        stage.receiver.node_configs(CLUSTER),
        nodes([node("w1", W1, vec![red(1, 1)])])
    );
    assert_eq!(
        stage.receiver.node_configs("another"),
        nodes([node("w1", W1, vec![blue(1, 1)])])
    );
    stage.delete("r").await;
    stage.gone("r").await;
    assert_eq!(stage.nodes()["w1"]["interfaces"], json!([]));
    assert_eq!(
        stage.receiver.node_configs("another"),
        nodes([node("w1", W1, vec![blue(1, 1)])])
    );
}

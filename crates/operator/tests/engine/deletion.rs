//! Deletion never hangs on somebody else, and leaves nothing behind.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use multinic_lab::{Fault, Receiver, Service};
use multinic_operator::departures::CONFIG_MAP;
use multinic_operator::settings::{Rejection, RejectionReason};
use serde_json::json;

use crate::stage::{CLUSTER, Cr, Stage, cloud};

async fn delivered() -> Stage {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.ready("c").await;
    stage
}

fn withdrawn(nodes: &serde_json::Value) -> bool {
    ["w1", "w2"].iter().all(|name| nodes[name]["interfaces"] == json!([]))
}

#[tokio::test]
async fn a_deleted_config_is_withdrawn_before_it_goes() {
    let stage = delivered().await;
    stage.delete("c").await;
    stage.gone("c").await;
    assert!(withdrawn(&stage.nodes()));
}

#[tokio::test]
async fn contrabass_keystone_or_the_clouds_services_are_not_needed_for_a_deletion() {
    for service in [Service::Contrabass, Service::Keystone, Service::Nova, Service::Neutron] {
        let mut stage = delivered().await;
        stage.lab.faults().at(service).always().inject(Fault::Reset);
        stage.kill().await;
        stage.delete("c").await;
        stage.begin().await;
        stage.gone("c").await;
        assert!(withdrawn(&stage.nodes()), "{service:?}");
    }
}

#[tokio::test]
async fn a_deletion_waits_for_the_management_api_and_says_so() {
    let stage = delivered().await;
    stage.receiver.faults().anywhere().always().inject(Fault::status(503));
    stage.delete("c").await;
    let config = stage.until("c", |config| {
        config
            .status
            .as_ref()
            .unwrap()
            .conditions
            .iter()
            .any(|condition| condition.reason == "Withdrawing")
    });
    let config = config.await;
    assert!(config.metadata.deletion_timestamp.is_some());
    stage.receiver.faults().clear();
    stage.gone("c").await;
    assert!(withdrawn(&stage.nodes()));
}

#[tokio::test]
async fn a_deletion_that_waited_for_long_enough_is_queued_durably_and_delivered_by_a_later_operator() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.sync = "deletionTimeout: 1s".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.ready("c").await;
    stage.receiver.faults().anywhere().always().inject(Fault::Reset);
    stage.delete("c").await;
    stage.gone("c").await;
    let maps: Api<ConfigMap> = Api::namespaced(stage.kubernetes.client.clone(), &stage.kubernetes.namespace);
    let queued = maps.get(CONFIG_MAP).await.unwrap().data.unwrap();
    assert!(queued.values().next().unwrap().contains("w1"), "{queued:?}");
    stage.kill().await;
    stage.receiver.faults().clear();
    stage.begin().await;
    stage.delivered(CLUSTER, withdrawn).await;
    let emptied = |map: Option<&ConfigMap>| {
        map.is_some_and(|map| map.data.as_ref().is_none_or(std::collections::BTreeMap::is_empty))
    };
    kube::runtime::wait::await_condition(maps, CONFIG_MAP, emptied)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_config_that_came_again_under_its_old_name_is_not_taken_for_the_deleted_one() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.sync = "deletionTimeout: 1s".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.ready("c").await;
    stage.receiver.faults().anywhere().always().inject(Fault::Reset);
    stage.delete("c").await;
    stage.gone("c").await;
    stage.apply(&Cr::red("c", &["w2"])).await;
    stage.receiver.faults().clear();
    stage.ready("c").await;
    stage
        .delivered(CLUSTER, |nodes| nodes["w1"]["interfaces"] == json!([]))
        .await;
    assert_eq!(crate::stage::ids(&stage.nodes()["w2"]).len(), 1);
}

#[tokio::test]
async fn a_config_is_deleted_while_there_are_no_settings() {
    let mut stage = delivered().await;
    stage.kill().await;
    stage.delete("c").await;
    stage.pace.deletion_timeout = std::time::Duration::from_secs(1);
    stage.tell_settings(|state| {
        state.current = None;
        state.rejected = Some(Rejection {
            reason: RejectionReason::SettingsMissing,
            message: "there is no ConfigMap".to_owned(),
        });
    });
    stage.begin().await;
    stage.gone("c").await;
    stage.put_settings();
    stage.delivered(CLUSTER, withdrawn).await;
}

#[tokio::test]
async fn a_config_whose_vms_were_never_found_is_deleted_at_once() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["nobody"])).await;
    stage.says("c", "VMNotFound").await;
    stage.receiver.faults().anywhere().always().inject(Fault::Reset);
    stage.delete("c").await;
    stage.gone("c").await;
}

#[tokio::test]
async fn another_ones_finalizer_is_left_alone() {
    let stage = delivered().await;
    let both = json!({"metadata": {"finalizers": ["example.com/other", "multinic.example.com/withdraw"]}});
    stage.patch("c", both).await;
    stage.delete("c").await;
    let config = stage
        .until("c", |config| {
            config.metadata.finalizers.as_ref().is_some_and(|all| all.len() == 1)
        })
        .await;
    assert_eq!(config.metadata.finalizers.unwrap(), ["example.com/other"]);
    assert!(withdrawn(&stage.nodes()));
    stage.patch("c", json!({"metadata": {"finalizers": null}})).await;
    stage.gone("c").await;
}

#[tokio::test]
async fn a_namespace_is_deleted_with_everything_in_it() {
    let stage = delivered().await;
    stage.apply(&Cr::blue("b", &["w1"])).await;
    stage.ready("b").await;
    stage.kubernetes.delete_namespace().await;
    stage.gone("c").await;
    stage.gone("b").await;
    assert!(withdrawn(&stage.nodes()));
}

//! Something is down, slow or forgetful.

use multinic_lab::{Fault, Receiver, Service};
use multinic_operator::settings::{Rejection, RejectionReason};
use serde_json::json;

use crate::stage::{CLUSTER, Cr, OTHER_CLUSTER, OTHER_PROVIDER, Stage, cloud, ids, said};

#[tokio::test]
async fn a_cloud_that_is_down_changes_nothing_and_heals_by_itself() {
    for (service, reason) in [
        (Service::Contrabass, "ContrabassUnavailable"),
        (Service::Keystone, "CloudUnavailable"),
        (Service::Nova, "CloudUnavailable"),
        (Service::Neutron, "CloudUnavailable"),
    ] {
        let mut stage = Stage::new(cloud()).await;
        stage.apply(&Cr::red("c", &["w1", "w2"])).await;
        stage.ready("c").await;
        let before = stage.nodes();
        stage.kill().await;
        stage.receiver.clear_requests();
        stage.lab.faults().at(service).always().inject(Fault::Reset);
        stage.begin().await;
        let config = stage.says("c", reason).await;
        assert_eq!(
            said(&config, "Delivered").unwrap().0,
            "True",
            "what was delivered stands"
        );
        assert_eq!(
            (stage.nodes(), stage.receiver.posts().len()),
            (before, 0),
            "{service:?}"
        );
        stage.lab.faults().clear();
        stage.ready("c").await;
        assert!(stage.receiver.posts().is_empty());
    }
}

#[tokio::test]
async fn a_management_api_that_is_down_is_tried_until_it_is_back() {
    let stage = Stage::new(cloud()).await;
    stage.receiver.faults().anywhere().always().inject(Fault::status(503));
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.says("c", "ManagementApiUnavailable").await;
    stage.receiver.faults().clear();
    stage.ready("c").await;
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 1);
}

#[tokio::test]
async fn a_node_that_the_management_api_rejects_is_said_and_the_others_arrive() {
    let stage = Stage::new(cloud()).await;
    stage.receiver.reject("w1", "the name is reserved");
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    let config = stage.says("c", "NodeRejected").await;
    let ready = config
        .status
        .as_ref()
        .unwrap()
        .conditions
        .last()
        .unwrap()
        .message
        .clone();
    assert!(ready.contains("w1") && ready.contains("reserved"), "{ready}");
    assert_eq!(ids(&stage.nodes()["w2"]).len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_back_leads_to_one_more_look_and_no_harm() {
    let stage = Stage::new(cloud()).await;
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .post("/")
        .times(20)
        .inject(Fault::AnswerLost);
    stage.apply(&Cr::red("c", &["w1"])).await;
    let config = stage.ready("c").await;
    assert_eq!(config.status.unwrap().interface_count, Some(1));
}

#[tokio::test]
async fn a_provider_that_hangs_delays_nobody_else() {
    let mut stage = Stage::set(
        cloud().provider(OTHER_PROVIDER).admin("other-admin"),
        Receiver::start().unwrap(),
    )
    .await;
    stage.pace.patience = std::time::Duration::from_millis(50);
    stage.begin().await;
    stage
        .lab
        .faults()
        .at(Service::Contrabass)
        .get(OTHER_PROVIDER)
        .always()
        .inject(Fault::Hang);
    let slow = |cr: Cr| cr.credential("openstackProviderID", OTHER_PROVIDER);
    stage
        .apply(&slow(Cr::red("slow", &["w2"])).cluster(OTHER_CLUSTER))
        .await;
    // In the same cluster as the good one, too.
    stage.apply(&slow(Cr::blue("slow-too", &["w1"]))).await;
    stage.apply(&Cr::red("good", &["w1"])).await;
    stage.ready("good").await;
    let config = stage.says("slow", "ReadingPending").await;
    assert!(
        config
            .status
            .unwrap()
            .conditions
            .iter()
            .all(|condition| condition.status == "Unknown" || condition.type_ == "EventSource")
    );
    stage.says("slow-too", "ReadingPending").await;
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 1);
}

#[tokio::test]
async fn a_rejected_password_is_tried_once_and_a_new_one_at_once() {
    let stage = Stage::new(cloud()).await;
    stage.lab.cloud().set_password("admin", "changed").unwrap();
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.says("c", "CredentialsRejected").await;
    let logins = || {
        stage
            .lab
            .requests_to(Service::Keystone)
            .iter()
            .filter(|request| request.method == "POST")
            .count()
    };
    assert_eq!(logins(), 1);
    stage
        .lab
        .cloud()
        .set_password("admin", multinic_lab::DEMO_ADMIN_PASSWORD)
        .unwrap();
    // Whatever makes the cluster due: the rejected credentials are not tried again before something changes.
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage
        .until("c", |config| {
            config.status.as_ref().unwrap().observed_generation == Some(2)
        })
        .await;
    assert_eq!(logins(), 1);
}

#[tokio::test]
async fn a_management_api_that_lost_everything_gets_it_again_at_the_next_resync() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "100ms".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.ready("c").await;
    let before = stage.nodes();
    stage.receiver.lose_node_configs();
    stage.delivered(CLUSTER, |nodes| *nodes == before).await;
}

#[tokio::test]
async fn a_management_api_without_get_gets_every_change_once_and_everything_from_time_to_time() {
    let mut stage = Stage::set(cloud(), Receiver::plain(204, 404).unwrap()).await;
    stage.settings.interval = "50ms".to_owned();
    stage.pace.full_send_every = 5;
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.ready("c").await;
    let gets =
        |requests: &[multinic_lab::LoggedRequest]| requests.iter().filter(|request| request.method == "GET").count();
    stage.receiver.lose_node_configs();
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w1"]).len() == 1).await;
    let (posts, asked) = (stage.receiver.posts().len(), gets(&stage.receiver.requests()));
    assert!(posts <= 1 + asked / 5, "{posts} posts at {asked} resyncs");
    stage.lab.cloud().attach_port("w1", "red").unwrap();
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w1"]).len() == 2).await;
    stage.delete("c").await;
    stage.gone("c").await;
    assert_eq!(stage.nodes()["w1"]["interfaces"], json!([]));
}

#[tokio::test]
async fn while_there_are_no_settings_every_config_says_so() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.tell_settings(|state| {
        state.rejected = Some(Rejection {
            reason: RejectionReason::SettingsMissing,
            message: "create the ConfigMap multinic-operator-config".to_owned(),
        });
    });
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.says("c", "SettingsMissing").await;
    stage.put_settings();
    stage.ready("c").await;
}

#[tokio::test]
async fn a_broken_new_version_of_the_settings_is_said_while_the_old_one_goes_on() {
    let mut stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.ready("c").await;
    stage.tell_settings(|state| {
        state.rejected = Some(Rejection {
            reason: RejectionReason::SettingsRejected,
            message: "config.yaml: sync.interval: no duration".to_owned(),
        });
    });
    let config = stage.says("c", "SettingsRejected").await;
    assert_eq!(said(&config, "Ready").unwrap().0, "True");
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).len() == 1).await;
    stage.put_settings();
    stage.says("c", "Synced").await;
}

//! When nothing happens, nothing happens.

use multinic_lab::{Fault, LoggedRequest, Receiver, Service};

use crate::stage::{Cr, OTHER_PROVIDER, Stage, cloud};

#[tokio::test]
async fn twenty_idle_resyncs_write_nothing_and_send_nothing() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "50ms".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("r", &["w1", "w2"])).await;
    stage.apply(&Cr::blue("b", &["w1", "w9"])).await;
    stage.ready("r").await;
    stage.says("b", "VMNotFound").await;
    stage.receiver.clear_requests();
    let gets = |wanted: usize| move |requests: &[LoggedRequest]| requests.len() >= wanted;
    // A pass that was under way when Ready was seen may still write.
    stage.asked(gets(3)).await;
    let versions = || async {
        let (r, b) = (
            stage.configs().get("r").await.unwrap(),
            stage.configs().get("b").await.unwrap(),
        );
        (r.metadata.resource_version, b.metadata.resource_version)
    };
    let before = versions().await;
    stage.asked(gets(23)).await;
    assert_eq!(versions().await, before);
    assert!(stage.receiver.posts().is_empty());
    assert!(stage.receiver.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn one_config_costs_few_requests_and_its_own_writes_wake_nobody() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["w1", "w2", "w3"])).await;
    stage.ready("c").await;
    let count = |service| stage.lab.requests_to(service).len();
    let requests = [Service::Contrabass, Service::Keystone, Service::Nova, Service::Neutron].map(count);
    assert_eq!(requests[0], 1, "{requests:?}");
    assert!(requests.iter().sum::<usize>() <= 8, "{requests:?}");
    // Another cluster's whole life later, nothing more was asked for this one.
    stage.apply(&Cr::blue("other", &["w1"]).cluster("another")).await;
    stage.ready("other").await;
    let reads = stage.receiver.requests();
    let of_first = reads
        .iter()
        .filter(|request| request.header("x-provider-id") == Some(crate::stage::CLUSTER));
    assert_eq!(of_first.count(), 2, "one read-back, one POST");
}

#[tokio::test]
async fn a_cluster_whose_last_config_is_gone_is_not_looked_at_any_more() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "50ms".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.apply(&Cr::blue("other", &["w1"]).cluster("another")).await;
    stage.ready("c").await;
    stage.ready("other").await;
    stage.delete("c").await;
    stage.gone("c").await;
    let of = |requests: &[LoggedRequest], cluster: &str| {
        requests
            .iter()
            .filter(|request| request.header("x-provider-id") == Some(cluster))
            .count()
    };
    // The pass that let go may still be the last thing that is being finished.
    stage.receiver.clear_requests();
    stage.asked(|requests| of(requests, "another") >= 20).await;
    assert!(of(&stage.receiver.requests(), crate::stage::CLUSTER) <= 1);
}

#[tokio::test]
async fn ports_that_are_never_wired_are_looked_at_more_often_only_for_a_while() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "200ms".to_owned();
    stage.pace.wiring_pause = std::time::Duration::from_millis(1);
    stage.pace.wiring_looks = 3;
    let port = stage.lab.cloud().ports_of("w1").unwrap().remove(0);
    stage.lab.cloud().set_port_status(&port, "DOWN").unwrap();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.ready("c").await;
    let resyncs = |requests: &[LoggedRequest]| requests.iter().filter(|request| request.method == "GET").count();
    stage.asked(|requests| resyncs(requests) >= 8).await;
    let readings = stage.lab.requests_to(Service::Contrabass).len();
    let resyncs = resyncs(&stage.receiver.requests());
    assert!(readings > resyncs, "it was looked at early");
    assert!(readings <= resyncs + 4, "{readings} readings at {resyncs} resyncs");
}

#[tokio::test]
async fn two_slow_projects_of_one_cluster_do_not_keep_each_other_going() {
    let mut stage = Stage::set(
        cloud().provider(OTHER_PROVIDER).admin("other"),
        Receiver::start().unwrap(),
    )
    .await;
    stage.pace.patience = std::time::Duration::from_millis(5);
    let slow = |provider: &str, time| {
        let delay = Fault::Delay(std::time::Duration::from_millis(time));
        stage
            .lab
            .faults()
            .at(Service::Contrabass)
            .get(provider)
            .always()
            .inject(delay);
    };
    slow(crate::stage::PROVIDER, 40);
    slow(OTHER_PROVIDER, 60);
    stage.begin().await;
    stage.apply(&Cr::red("r", &["w1"])).await;
    stage
        .apply(&Cr::blue("b", &["w1"]).credential("openstackProviderID", OTHER_PROVIDER))
        .await;
    stage.ready("r").await;
    stage.ready("b").await;
    // Whoever asked without end would ask some forty times in this time.
    let asked = |requests: &[LoggedRequest]| {
        let questions = requests.iter().filter(|request| request.service == Service::Contrabass);
        questions.count()
    };
    let many = stage.lab.until(|requests| asked(requests) > 12);
    let still = tokio::time::timeout(std::time::Duration::from_secs(2), many).await;
    assert!(still.is_err(), "{} questions", asked(&stage.lab.requests()));
}

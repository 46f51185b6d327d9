//! How a provider's notifications are reached: what Contrabass names, what the settings name, and what goes wrong alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use common::{ADD, PROVIDER, Stage, Staging, cast};
use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, DEMO_RABBIT_PASSWORD, DEMO_RABBIT_PW, Fault, Service};
use multinic_notifications::{LinkSettings, QueueKind};
use multinic_sync::LinksError;
use secrecy::ExposeSecret;

/// The deployed answer that has RabbitMQ in it.
const WRAPPED: &str = "providerPath: '/v1/contrabass/admin/infra/provider/{id}'";

fn cloud(brokers: &[&str]) -> CloudBuilder {
    CloudBuilder::new()
        .provider(PROVIDER)
        .rabbitmq("openstack", DEMO_RABBIT_PW, brokers)
}

fn staging(rabbitmq: &'static str) -> Staging {
    Staging {
        contrabass: vec![WRAPPED.to_owned()],
        secrets: common::Known::new(&[("KEY", DEMO_ENCRYPTION_KEY), ("PW", "from the settings")]),
        rabbitmq,
        ..Staging::default()
    }
}

async fn links(stage: &Stage) -> Result<Vec<LinkSettings>, LinksError> {
    stage.connections.links(&PROVIDER.parse().unwrap(), "uid-1").await
}

fn bindings(link: &LinkSettings) -> Vec<String> {
    let name = |binding: &multinic_notifications::Binding| format!("{}/{}", binding.exchange, binding.routing_key);
    link.bindings.iter().map(name).collect()
}

#[tokio::test]
async fn contrabass_names_the_brokers_and_the_account() {
    let stage = staging("{}").stage(cloud(&["a:5672", "amqps://b"]));
    let links = links(&stage).await.unwrap();
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!(format!("{:?}", link.brokers), "[a:5672, b:5671]");
    assert_eq!(
        link.brokers.iter().map(|broker| broker.tls).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!((link.user.as_str(), link.vhost.as_str()), ("openstack", "/"));
    assert_eq!(link.password.expose_secret(), DEMO_RABBIT_PASSWORD);
    assert_eq!(link.queue.name, format!("multinic.uid-1.{PROVIDER}"));
    assert_eq!(link.queue.kind, QueueKind::Classic);
    assert_eq!(link.heartbeat, Duration::from_secs(15));
    assert_eq!(
        bindings(link),
        [
            "neutron/notifications.info",
            "nova/notifications.info",
            "nova/versioned_notifications.info"
        ]
    );
    assert!(!format!("{link:?}").contains(DEMO_RABBIT_PASSWORD));
}

#[tokio::test]
async fn the_settings_go_before_contrabass_which_is_not_even_asked() {
    let stage = staging(
        "{brokers: ['own:5672'], user: multinic, password: {env: PW}, tls: {required: true}, queue: {name: ours}}",
    )
    .stage(cloud(&["a:5672"]));
    let links = links(&stage).await.unwrap();
    assert_eq!(format!("{:?}", links[0].brokers), "[own:5672]");
    assert!(links[0].brokers[0].tls);
    assert_eq!(links[0].password.expose_secret(), "from the settings");
    assert_eq!(links[0].queue.name, format!("ours.{PROVIDER}"));
    assert_eq!(stage.connections.requests().contrabass, 0);
}

#[tokio::test]
async fn every_virtual_host_is_a_link_of_its_own() {
    let stage = staging(
        "{vhost: main, bindings: [{exchange: nova, routingKeys: [notifications.info], vhost: nova}, \
         {exchange: neutron, routingKeys: [notifications.info]}, \
         {exchange: openstack, routingKeys: [notifications.info, notifications.error], vhost: nova}]}",
    )
    .stage(cloud(&["a:5672"]));
    let links = links(&stage).await.unwrap();
    let shown: Vec<_> = links.iter().map(|link| (link.vhost.as_str(), bindings(link))).collect();
    assert_eq!(
        shown,
        [
            ("main", vec!["neutron/notifications.info".to_owned()]),
            (
                "nova",
                [
                    "nova/notifications.info",
                    "openstack/notifications.error",
                    "openstack/notifications.info"
                ]
                .map(ToOwned::to_owned)
                .to_vec()
            ),
        ]
    );
}

#[tokio::test]
async fn without_a_broker_auto_is_silent_and_true_is_an_error() {
    let nobody = || CloudBuilder::new().provider(PROVIDER);
    assert!(links(&staging("{}").stage(nobody())).await.unwrap().is_empty());
    let error = links(&staging("{enabled: true}").stage(nobody())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("failed to find a RabbitMQ of the provider {PROVIDER}: neither the settings nor Contrabass name one")
    );
    assert_eq!(error.category(), "no-broker");
    assert!(error.hint().contains("rabbitmq.brokers"));
}

#[tokio::test]
async fn switched_off_nobody_is_asked() {
    let stage = staging("{enabled: false}").stage(cloud(&["a:5672"]));
    assert!(links(&stage).await.unwrap().is_empty());
    assert_eq!(stage.connections.requests().contrabass, 0);
}

#[tokio::test]
async fn an_envelope_that_does_not_open_costs_the_notifications_and_nothing_else() {
    let spoilt = CloudBuilder::new().provider(PROVIDER);
    let stage = staging("{}").stage(spoilt.rabbitmq("openstack", "bm8gZW52ZWxvcGU=", &["a:5672"]));
    let error = links(&stage).await.unwrap_err();
    assert!(matches!(error, LinksError::Password(_)), "{error}");
    assert_eq!(error.to_string(), "failed to decrypt the provider's rabbitMQPw");
    // The same with a cloud behind it: the pass does not notice.
    let stage = staging("{enabled: true}").stage(cast::cloud());
    stage.good_pass(&cast::all(), ADD).await;
    assert!(links(&stage).await.is_err());
}

#[tokio::test]
async fn contrabass_that_does_not_answer_is_said() {
    let stage = staging("{}").stage(cloud(&["a:5672"]));
    stage
        .lab
        .faults()
        .at(Service::Contrabass)
        .always()
        .inject(Fault::status(404));
    let error = links(&stage).await.unwrap_err();
    assert!(matches!(error, LinksError::Contrabass(_)), "{error}");
    assert!(!error.hint().is_empty());
}

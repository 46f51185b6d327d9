//! Queue, exchanges, bindings, permissions.

use multinic_notifications::{LinkError, QueueKind, probe};
use multinic_testing::rabbitmq::RabbitVhost;
use serde_json::json;

use crate::support::{INFO, Link, QUEUE, Service, binding, numbered, settings, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_durable_and_bounded_three_times() {
    for (kind, name) in [(QueueKind::Classic, "classic"), (QueueKind::Quorum, "quorum")] {
        let vhost = RabbitVhost::create();
        let mut settings = settings(&vhost);
        settings.queue.kind = kind;
        Link::start(settings).listening().await;
        let queue = vhost.management().queue(QUEUE).unwrap();
        let expected = json!({
            "x-queue-type": name, "x-max-length": 200_000, "x-overflow": "drop-head",
            "x-message-ttl": 600_000, "x-expires": 3_600_000,
        });
        assert_eq!(queue["arguments"], expected);
        assert_eq!(queue["durable"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_bound_as_soon_as_its_service_declares_it_and_missed_when_it_goes() {
    let vhost = RabbitVhost::create();
    let service = Service::connect(&vhost).await;
    service.declare("neutron").await;
    let mut link = Link::start(settings(&vhost));
    assert_eq!(link.listening().await.1, ["nova"]);

    service.declare("nova").await;
    link.complete().await;
    service.publish("nova", [numbered(1)]).await;
    assert_eq!(link.numbers(1).await, [1]);

    vhost.management().delete_exchange("neutron");
    assert_eq!(link.listening().await.1, ["neutron"]);
    service.declare("neutron").await;
    link.complete().await;
    service.publish("neutron", [numbered(2)]).await;
    assert_eq!(link.numbers(1).await, [2]);
    let bound = [
        ("neutron".to_owned(), INFO.to_owned()),
        ("nova".to_owned(), INFO.to_owned()),
    ];
    assert_eq!(vhost.management().bindings(QUEUE), bound);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_keys_of_one_exchange_are_bound_and_nothing_else_of_it_comes() {
    let vhost = RabbitVhost::create();
    let management = vhost.management();
    management.declare_exchange("nova");
    let mut settings = settings(&vhost);
    settings.bindings = vec![binding("nova", INFO), binding("nova", "versioned_notifications.info")];
    let mut link = Link::start(settings);
    link.complete().await;
    assert!(management.publish("nova", "versioned_notifications.info", &numbered(1)));
    assert!(!management.publish("nova", "notifications.error", &numbered(2)));
    assert!(!management.publish("nova", "conductor", &numbered(3)));
    assert!(management.publish("nova", INFO, &numbered(4)));
    assert_eq!(link.numbers(2).await, [1, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_declared_otherwise_is_told_until_it_is_gone() {
    let vhost = RabbitVhost::create();
    vhost.management().declare_queue(QUEUE, &json!({"x-max-length": 5}));
    let mut link = Link::start(settings(&vhost));
    let error = link.lost().await;
    let LinkError::QueueMismatch { queue, reason } = &error else {
        panic!("{error}");
    };
    assert_eq!(queue, QUEUE);
    assert!(reason.contains("inequivalent arg 'x-"), "{reason}");
    assert_eq!(error.category(), "queue-mismatch");
    assert!(vhost.management().delete_queue(QUEUE));
    link.listening().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_made_again_at_once() {
    let vhost = RabbitVhost::create();
    let service = Service::connect(&vhost).await;
    service.declare("nova").await;
    service.declare("neutron").await;
    let mut link = Link::start(settings(&vhost));
    link.complete().await;
    for number in 1..4 {
        assert!(vhost.management().delete_queue(QUEUE));
        let error = link.lost().await;
        assert!(
            matches!(&error, LinkError::Cancelled { queue, .. } if queue == QUEUE),
            "{error}"
        );
        link.complete().await;
        service.publish("nova", [numbered(number)]).await;
        assert_eq!(link.numbers(1).await, [number]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind_but_the_queue() {
    let vhost = RabbitVhost::create();
    let mut link = Link::start(settings(&vhost));
    link.listening().await;
    let connections = until(async || Some(vhost.management().connections()).filter(|all| !all.is_empty())).await;
    assert_eq!(connections[0]["client_properties"]["connection_name"], "multinic test");
    drop(link);
    until(async || vhost.management().connections().is_empty().then_some(())).await;
    assert_eq!(vhost.management().queues(), [QUEUE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_declares_nothing_and_says_what_is_absent() {
    let vhost = RabbitVhost::create();
    vhost.management().declare_exchange("nova");
    let settings = settings(&vhost);
    let probe = probe(&settings).await.unwrap();
    assert_eq!(probe.broker, settings.brokers[0]);
    assert_eq!(probe.absent, ["neutron"]);
    assert!(vhost.management().queues().is_empty());
}

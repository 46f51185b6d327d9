//! Brokers that stop, die, freeze, and run out of memory.

use std::time::Duration;

use multinic_notifications::LinkError;
use multinic_testing::rabbitmq::RabbitServer;

use crate::support::{Link, QUEUE, Service, broker, numbered, patiently, settings, until};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_and_after_a_kill_it_listens_again_as_the_services_come_back() {
    let server = RabbitServer::start();
    let service = Service::connect(&server).await;
    service.declare("nova").await;
    service.declare("neutron").await;
    let mut link = Link::start(settings(&server));
    link.complete().await;
    for (number, end) in [(1, RabbitServer::stop as fn(&RabbitServer)), (2, RabbitServer::kill)] {
        end(&server);
        let error = link.lost().await;
        assert!(matches!(error, LinkError::Broken { .. }), "{error}");
        server.resume();
        // The exchanges were not durable.
        assert_eq!(link.listening().await.1, ["neutron", "nova"]);
        let service = Service::connect(&server).await;
        service.declare("neutron").await;
        service.declare("nova").await;
        link.complete().await;
        service.publish("nova", [numbered(number)]).await;
        assert_eq!(link.numbers(1).await, [number]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_replaced_by_the_next_one_in_the_list() {
    let (first, second) = (RabbitServer::start(), RabbitServer::start());
    let mut settings = settings(&first);
    settings.brokers.push(broker(second.address()));
    let mut link = Link::start(settings);
    assert_eq!(link.listening().await.0, broker(first.address()));
    first.kill();
    assert_eq!(link.lost().await.category(), "broken");
    assert_eq!(link.listening().await.0, broker(second.address()));
    second.stop();
    assert_eq!(link.lost().await.category(), "broken");
    first.resume();
    assert_eq!(link.listening().await.0, broker(first.address()));
}

/// Two stories of one broker: starting one takes some seconds.
#[tokio::test(flavor = "multi_thread")]
async fn without_memory_a_broker_serves_us_and_frozen_it_is_given_up() {
    let server = RabbitServer::start();
    it_blocks_those_who_publish_and_not_us(&server).await;
    it_is_given_up_after_the_heartbeat(&server).await;
}

/// RabbitMQ holds up only those who publish, and tells nobody else.
async fn it_blocks_those_who_publish_and_not_us(server: &RabbitServer) {
    let service = Service::connect(server).await;
    service.declare("nova").await;
    service.declare("neutron").await;
    let mut settings = settings(server);
    settings.prefetch = 2;
    let mut link = Link::start(settings.clone());
    link.complete().await;
    link.end().await;
    until(async || (server.management().connections().len() == 1).then_some(())).await;
    service.publish("nova", (0..1000).map(numbered)).await;

    server.memory_alarm(true);
    let publishing = tokio::spawn(async move {
        service.publish("nova", [numbered(1000)]).await;
        service
    });
    until(async || {
        let connections = server.management().connections();
        connections.iter().any(|all| all["state"] == "blocked").then_some(())
    })
    .await;
    let mut link = Link::start(settings);
    link.complete().await;
    assert_eq!(link.numbers(1000).await, (0..1000).collect::<Vec<_>>());
    let onlooker = Service::connect(server).await;
    until(async || (onlooker.waiting(QUEUE).await == 0).then_some(())).await;
    assert!(!publishing.is_finished());

    server.memory_alarm(false);
    patiently(publishing).await.unwrap();
    assert_eq!(link.numbers(1).await, [1000]);
}

async fn it_is_given_up_after_the_heartbeat(server: &RabbitServer) {
    let mut settings = settings(server);
    settings.heartbeat = Duration::from_secs(2);
    let mut link = Link::start(settings);
    link.listening().await;
    server.freeze();
    let error = link.lost().await;
    assert!(
        matches!(&error, LinkError::Broken { reason, .. } if reason.contains("heartbeat")),
        "{error}"
    );
    server.thaw();
    link.listening().await;
}

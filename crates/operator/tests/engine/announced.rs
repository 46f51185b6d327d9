//! What OpenStack announces is delivered without waiting for the next periodic reading, and nothing depends on it.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use multinic_lab::{
    CloudBuilder, LoggedRequest, Receiver, SEED_SUBNET_ID, Service,
    publisher::{AnnouncedPort, AnnouncedServer, Announcement, NovaFormat, ServerEvent},
};
use tokio::time::{interval, timeout};

use crate::stage::{Announced, CLUSTER, Cr, PROJECT, Stage, W2, announced, because, broker, cloud, ids};

/// So many readings must agree before an absence is believed that nobody has announced.
const CONFIRMATIONS: usize = 20;

/// Waits until a config is Ready and its provider listened to.
async fn listened_to(stage: &Stage, config: &str) {
    stage.ready(config).await;
    stage
        .until(config, |config| because(config, "EventSource", "Listening"))
        .await;
}

/// The engine with w1 and w2 on red, for which only an announcement makes a removal quick.
async fn world() -> Announced {
    let mut world = Announced::set().await;
    world.stage.settings.sync = format!("removalConfirmations: {CONFIRMATIONS}, confirmationPause: 10ms");
    world.stage.begin().await;
    world.stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    listened_to(&world.stage, "c").await;
    world
}

/// Readings of ports.
fn readings(requests: &[LoggedRequest]) -> usize {
    let reads = requests.iter().filter(|request| request.service == Service::Neutron);
    reads.filter(|request| request.path().ends_with("/ports")).count()
}

#[tokio::test]
async fn an_announced_port_is_delivered_although_the_interval_is_an_hour() {
    let world = world().await;
    let stage = &world.stage;
    let port = stage.lab.cloud().attach_port("w2", "red").unwrap();
    world.announce(&[Announcement::port_updated(&world.port(&port))]).await;
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).len() == 2).await;
}

#[tokio::test]
async fn an_announced_deletion_of_a_port_is_delivered_after_one_reading() {
    let world = world().await;
    let stage = &world.stage;
    let port = stage.lab.cloud().ports_of("w2").unwrap().remove(0);
    let announced = world.port(&port);
    stage.lab.cloud().delete_port(&port).unwrap();
    stage.lab.clear_requests();
    world.announce(&[Announcement::port_deleted(&announced)]).await;
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).is_empty()).await;
    assert!(readings(&stage.lab.requests()) < CONFIRMATIONS);
}

#[tokio::test]
async fn an_announced_detachment_is_delivered_after_one_reading() {
    let world = world().await;
    let stage = &world.stage;
    let port = stage.lab.cloud().ports_of("w2").unwrap().remove(0);
    stage.lab.cloud().detach_port(&port).unwrap();
    stage.lab.clear_requests();
    let server = AnnouncedServer::new(W2, PROJECT, "w2");
    let announced = [
        Announcement::port_updated(&world.port(&port)),
        Announcement::interface_detached(&server),
    ];
    world.announce(&announced).await;
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).is_empty()).await;
    assert!(readings(&stage.lab.requests()) < CONFIRMATIONS);
}

#[tokio::test]
async fn an_announced_deletion_of_a_server_is_delivered_after_one_reading() {
    for format in [NovaFormat::Unversioned, NovaFormat::Versioned] {
        let world = world().await;
        let stage = &world.stage;
        stage.lab.cloud().delete_vm("w2").unwrap();
        stage.lab.clear_requests();
        let server = AnnouncedServer::new(W2, PROJECT, "w2");
        world
            .announce(&[Announcement::server(ServerEvent::Deleted, format, &server)])
            .await;
        stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).is_empty()).await;
        assert!(readings(&stage.lab.requests()) < CONFIRMATIONS);
    }
}

#[tokio::test]
async fn what_is_announced_of_others_costs_no_request() {
    let world = world().await;
    let stage = &world.stage;
    let mine = stage.lab.cloud().attach_port("w2", "red").unwrap();
    let mine = world.port(&mine);
    stage.lab.clear_requests();
    let others = (0..200).flat_map(|n| {
        let (port, server) = (
            format!("99000000-0000-4000-8000-0000000000{n:02x}"),
            format!("98000000-0000-4000-8000-0000000000{n:02x}"),
        );
        let (port, server) = (
            AnnouncedPort::new(&port).in_server(&server),
            AnnouncedServer::new(&server, "bb62c2a5c5284f548908b864db59282c", "w2"),
        );
        [
            Announcement::port_updated(&port),
            Announcement::port_deleted(&port),
            Announcement::interface_detached(&server),
            Announcement::server(ServerEvent::Updated, NovaFormat::Versioned, &server),
        ]
    });
    let announced: Vec<_> = others.chain([Announcement::port_updated(&mine)]).collect();
    world.announce(&announced).await;
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).len() == 2).await;
    let requests = stage.lab.requests();
    // A second look, soon after, may be among them.
    assert!(requests.len() <= 4, "{requests:#?}");
}

const VMS: usize = 200;
const MESSAGES: usize = 10_000;

#[tokio::test]
async fn a_storm_costs_few_requests_and_ends_in_the_right_state() {
    let mut world = Announced::of(CloudBuilder::sized(VMS, 2)).await;
    world.stage.settings.sync = format!("removalConfirmations: {CONFIRMATIONS}, confirmationPause: 10ms");
    world.stage.begin().await;
    let stage = &world.stage;
    let names: Vec<String> = (1..=VMS).map(CloudBuilder::sized_vm_name).collect();
    let vms: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.apply(&Cr::red("c", &vms).with("subnetID", SEED_SUBNET_ID)).await;
    listened_to(stage, "c").await;
    let mut expected = vec![2; VMS];
    let cloud = stage.lab.cloud();
    let mut ports = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let mut own = cloud.ports_of(name).unwrap();
        if n % 20 == 0 {
            own.push(cloud.attach_port(name, SEED_SUBNET_ID).unwrap());
            expected[n] = 3;
        }
        if n % 20 == 1 {
            cloud.detach_port(&own[0]).unwrap();
            expected[n] = 1;
        }
        ports.push(own.iter().map(|id| world.port(id)).collect::<Vec<_>>());
    }
    stage.lab.clear_requests();
    let storm: Vec<_> = (0..MESSAGES)
        .map(|n| {
            let own = &ports[n % VMS];
            Announcement::port_updated(&own[n / VMS % own.len()])
        })
        .collect();
    world.announce(&storm).await;
    heard(stage, MESSAGES).await;
    let right = |nodes: &serde_json::Value| {
        let held = names.iter().map(|name| ids(&nodes[name]).len());
        held.eq(expected.iter().copied())
    };
    stage.delivered(CLUSTER, right).await;
    let requests = stage.lab.requests().len();
    assert!(requests <= 20, "{requests} requests: {:#?}", stage.lab.requests());
}

/// Waits until that many messages have come.
async fn heard(stage: &Stage, messages: usize) {
    let line = format!("multinic_notifications_total{{event=\"port.update\",outcome=\"hint\"}} {messages}\n");
    let mut look = interval(Duration::from_millis(5));
    let all = async {
        while !stage.metrics.text().unwrap().contains(&line) {
            look.tick().await;
        }
    };
    let all = timeout(Duration::from_mins(1), all).await;
    assert!(all.is_ok(), "{}", stage.metrics.text().unwrap());
}

/// Everything but the engine, with a cloud of which Contrabass knows this broker.
async fn named_by_contrabass(broker: SocketAddr) -> Stage {
    let mut stage = Stage::set(announced("openstack", broker), Receiver::start().unwrap()).await;
    stage.settings.rabbitmq = String::from("enabled: auto");
    stage.settings.announced = true;
    stage
}

#[tokio::test]
async fn what_was_missed_while_the_broker_was_down_is_read_when_it_is_back() {
    let broker = broker("openstack");
    let mut stage = named_by_contrabass(broker.address()).await;
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    listened_to(&stage, "c").await;
    broker.stop();
    stage.lab.cloud().attach_port("w2", "red").unwrap();
    broker.resume();
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).len() == 2).await;
}

#[tokio::test]
async fn where_the_news_come_from_is_said_soon_although_the_interval_is_an_hour() {
    let broker = broker("openstack");
    let mut stage = named_by_contrabass(broker.address()).await;
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    listened_to(&stage, "c").await;
    stage.lab.clear_requests();
    broker.stop();
    let lost = |config: &_| because(config, "EventSource", "BrokerUnreachable");
    let config = stage.until("c", lost).await;
    assert!(because(&config, "Ready", "Synced"), "{config:#?}");
    assert_eq!(stage.lab.requests().len(), 0, "OpenStack is not asked because of that");
    broker.resume();
    // The exchanges of the services are gone with the broker.
    let lacking = |config: &_| because(config, "EventSource", "ExchangeMissing");
    stage.until("c", lacking).await;
}

#[tokio::test]
async fn that_there_is_no_broker_is_said_although_the_interval_is_an_hour() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.rabbitmq = "enabled: auto".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage
        .until("c", |config| because(config, "EventSource", "NotConfigured"))
        .await;
}

#[tokio::test]
async fn without_a_broker_that_answers_everything_works_as_before_and_nothing_is_written() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut stage = named_by_contrabass(nobody).await;
    stage.settings.interval = "50ms".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1", "w2"])).await;
    stage.ready("c").await;
    stage
        .until("c", |config| because(config, "EventSource", "BrokerUnreachable"))
        .await;
    stage.lab.cloud().attach_port("w2", "red").unwrap();
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w2"]).len() == 2).await;
    let gets = |wanted: usize| move |requests: &[LoggedRequest]| requests.len() >= wanted;
    // A pass that was under way may still write.
    stage.receiver.clear_requests();
    stage.asked(gets(3)).await;
    let version = || async { stage.configs().get("c").await.unwrap().metadata.resource_version };
    let before = version().await;
    // Long enough for some attempts to connect.
    stage.asked(gets(60)).await;
    assert_eq!(version().await, before);
}

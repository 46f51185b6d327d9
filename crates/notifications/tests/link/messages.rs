//! What comes out of the queue, and what stays in it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use futures::StreamExt;
use lapin::{
    options::{BasicAckOptions, BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use multinic_notifications::{LinkState, Message, MessageOutcome, Sink, listen};
use multinic_testing::rabbitmq::RabbitVhost;

use crate::support::{INFO, Link, QUEUE, Service, numbered, settings, until};

async fn vhost() -> (RabbitVhost, Service) {
    let vhost = RabbitVhost::create();
    let service = Service::connect(&vhost).await;
    service.declare("nova").await;
    service.declare("neutron").await;
    (vhost, service)
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_told_once_and_never_comes_back() {
    let (vhost, service) = vhost().await;
    let mut link = Link::start(settings(&vhost));
    link.complete().await;
    let garbage = [
        Vec::new(),
        b"not json".to_vec(),
        vec![0xff; 3000],
        br#"{"oslo.version": "2.0", "oslo.message": "{"}"#.to_vec(),
        vec![b' '; (1 << 20) + 1],
        b"[".repeat(100_000),
    ];
    service.publish("nova", garbage.clone()).await;
    service.publish("nova", [numbered(1)]).await;
    let messages = link.messages(garbage.len() + 1).await;
    let malformed = messages
        .iter()
        .filter(|message| message.outcome == MessageOutcome::Malformed);
    assert_eq!(malformed.count(), garbage.len());
    assert_eq!(messages.last().unwrap().outcome, MessageOutcome::Hint);
    // A message that was not acknowledged would come again.
    drop(link);
    until(async || vhost.management().connections().len().eq(&1).then_some(())).await;
    assert_eq!(service.waiting(QUEUE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_go_when_nobody_listens_and_the_queue_is_full() {
    let (vhost, service) = vhost().await;
    let mut settings = settings(&vhost);
    settings.queue.max_length = 10;
    let mut link = Link::start(settings.clone());
    link.complete().await;
    drop(link);
    until(async || (vhost.management().connections().len() == 1).then_some(())).await;
    service.publish("nova", (0..500).map(numbered)).await;
    assert_eq!(service.waiting(QUEUE).await, 10);
    let mut link = Link::start(settings);
    assert_eq!(link.numbers(10).await, (490..500).collect::<Vec<_>>());
}

/// A sink that stops at a message until it is told to go on.
struct Gate {
    stop_at: usize,
    go_on: Mutex<Receiver<()>>,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Sink for Gate {
    fn state(&self, _: LinkState) {}

    fn message(&self, message: Message) {
        let count = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(message);
            seen.len()
        };
        if count == self.stop_at {
            let _ = self.go_on.lock().unwrap().recv();
        }
    }
}

fn gate(stop_at: usize) -> (Arc<Gate>, Arc<Mutex<Vec<Message>>>, Sender<()>) {
    let (sender, go_on) = channel();
    let seen = Arc::default();
    let gate = Gate {
        stop_at,
        go_on: Mutex::new(go_on),
        seen: Arc::clone(&seen),
    };
    (Arc::new(gate), seen, sender)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backlog_of_100_000_is_bounded_by_the_prefetch_and_survives_a_break_in_the_middle() {
    const ALL: u32 = 100_000;
    const STOP: usize = 40_050;
    let (vhost, service) = vhost().await;
    let settings = settings(&vhost);
    let prefetch: u32 = settings.prefetch.into();
    let mut link = Link::start(settings.clone());
    link.complete().await;
    link.end().await;
    service.publish("nova", (0..ALL).map(numbered)).await;

    let (sink, seen, go_on) = gate(STOP);
    let link = tokio::spawn(listen(settings.clone(), sink));
    until(async || (seen.lock().unwrap().len() == STOP).then_some(())).await;
    // Only what was handed over can have been acknowledged, and only the prefetch is on its way beyond that.
    let handed_over = u32::try_from(STOP).unwrap();
    let waiting =
        until(async || Some(service.waiting(QUEUE).await).filter(|waiting| *waiting <= ALL - handed_over)).await;
    assert!(ALL - waiting <= handed_over + prefetch, "{waiting}");

    // The link is dropped while its sink has a message in hand.
    link.abort();
    drop(go_on);
    let _ = link.await;
    // Everything that was not handed over comes again.
    let mut all = numbers(&seen.lock().unwrap());
    assert!(all.len() < usize::try_from(ALL).unwrap());
    let mut link = Link::start(settings);
    while all.len() < usize::try_from(ALL).unwrap() {
        all.extend(link.numbers(1).await);
    }
    until(async || (service.waiting(QUEUE).await == 0).then_some(())).await;
}

fn numbers(messages: &[Message]) -> BTreeSet<u32> {
    messages.iter().map(crate::support::number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ceilometer_on_its_shared_queue_misses_nothing_while_we_listen() {
    const ALL: u32 = 2_000;
    let (vhost, service) = vhost().await;
    let channel = service.channel();
    channel
        .queue_declare(INFO.into(), QueueDeclareOptions::default(), FieldTable::default())
        .await
        .unwrap();
    for exchange in ["nova", "neutron"] {
        let options = QueueBindOptions::default();
        channel
            .queue_bind(
                INFO.into(),
                exchange.into(),
                INFO.into(),
                options,
                FieldTable::default(),
            )
            .await
            .unwrap();
    }
    let ceilometer = Service::connect(&vhost).await;
    let options = BasicConsumeOptions::default();
    let mut shared = ceilometer
        .channel()
        .basic_consume(INFO.into(), "ceilometer".into(), options, FieldTable::default())
        .await
        .unwrap();
    let counting = tokio::spawn(async move {
        let mut bodies = BTreeSet::new();
        while bodies.len() < usize::try_from(ALL).unwrap() {
            let delivery = shared.next().await.unwrap().unwrap();
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            bodies.insert(delivery.data);
        }
        bodies
    });
    let mut link = Link::start(settings(&vhost));
    link.complete().await;
    service.publish("nova", (0..ALL / 2).map(numbered)).await;
    service.publish("neutron", (ALL / 2..ALL).map(numbered)).await;
    let ours: BTreeSet<_> = link.numbers(usize::try_from(ALL).unwrap()).await.into_iter().collect();
    assert_eq!(ours, (0..ALL).collect());
    let theirs = crate::support::patiently(counting).await.unwrap();
    assert_eq!(theirs, (0..ALL).map(numbered).collect());
}

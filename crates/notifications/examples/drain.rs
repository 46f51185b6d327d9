//! How long a backlog takes, and what it costs: `cargo run --release -p multinic-notifications --example drain [MESSAGES] [RUNS]`.
//!
//! RabbitMQ is Debian's, started for this; the messages are the recorded ones in turn. The publisher is a process of its own
//! and done before the link starts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use multinic_notifications::{
    Binding, LinkPace, LinkSettings, LinkState, Message, MessageOutcome, QueueKind, QueueSettings, Sink, listen,
};
use multinic_testing::rabbitmq::RabbitVhost;
use multinic_transport::Tls;
use serde_json::Value;
use tokio::sync::watch;

const EXCHANGE: &str = "nova";
const KEY: &str = "notifications.info";

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [place, messages] = &arguments[..]
        && place.contains('@')
    {
        return publish(place, messages.parse().unwrap(), &bodies()).await;
    }
    let number = |at: usize, otherwise| arguments.get(at).map_or(otherwise, |text| text.parse().unwrap());
    let (messages, runs) = (number(0, 100_000), number(1, 5));
    let sizes: Vec<_> = bodies().iter().map(Vec::len).collect();
    let average = sizes.iter().sum::<usize>() / sizes.len();
    println!("{messages} messages of {average} bytes on average, {runs} runs");
    for _ in 0..runs {
        run(messages).await;
    }
}

async fn run(messages: usize) {
    let vhost = RabbitVhost::create();
    vhost.management().declare_exchange(EXCHANGE);
    let settings = settings(&vhost);

    // Once empty, so that the queue is there and bound.
    let (counter, mut seen) = Counter::new();
    let link = tokio::spawn(listen(settings.clone(), counter));
    seen.wait_for(|count| count.listening).await.unwrap();
    link.abort();
    let _ = link.await;
    let place = format!(
        "amqp://{}:{}@{}/{}",
        vhost.user(),
        vhost.password(),
        vhost.address(),
        vhost.name()
    );
    let mut publisher = Command::new(env::current_exe().unwrap());
    assert!(
        publisher
            .args([place, messages.to_string()])
            .status()
            .unwrap()
            .success()
    );

    let before = resident();
    let (counter, mut seen) = Counter::new();
    let started = Instant::now();
    let link = tokio::spawn(listen(settings, counter.clone()));
    let listening = seen
        .wait_for(|count| count.listening)
        .await
        .map(|_| started.elapsed())
        .unwrap();
    let mut peak = before;
    while seen.borrow_and_update().messages < messages {
        seen.changed().await.unwrap();
        peak = peak.max(resident());
    }
    let took = started.elapsed();
    link.abort();
    println!(
        "drained in {took:.2?} ({:.0} a second; listening after {listening:.2?}); resident {:.1} MiB before, {:.1} MiB at most; {:?}",
        f64::from(u32::try_from(messages).unwrap()) / took.as_secs_f64(),
        before,
        peak,
        counter.outcomes.lock().unwrap()
    );
}

/// The recorded bodies.
fn bodies() -> Vec<Vec<u8>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| {
            let recorded: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            recorded["raw_body"].as_str().unwrap().as_bytes().to_vec()
        })
        .collect()
}

async fn publish(place: &str, messages: usize, bodies: &[Vec<u8>]) {
    let connection = Connection::connect(place, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    for body in bodies.iter().cycle().take(messages) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish(EXCHANGE.into(), KEY.into(), options, body, properties);
        drop(sent.await.unwrap());
    }
    channel.wait_for_confirms().await.unwrap();
}

fn settings(vhost: &RabbitVhost) -> LinkSettings {
    LinkSettings {
        brokers: vec![vhost.address().to_string().parse().unwrap()],
        vhost: vhost.name().to_owned(),
        user: vhost.user().to_owned(),
        password: vhost.password().to_owned().into(),
        tls: Tls::default(),
        connection_name: "drain".to_owned(),
        heartbeat: Duration::from_mins(1),
        queue: QueueSettings {
            name: "multinic.drain".to_owned(),
            kind: QueueKind::Classic,
            max_length: 1_000_000,
            message_ttl: Duration::from_hours(1),
            expires: Duration::from_hours(1),
        },
        bindings: vec![Binding {
            exchange: EXCHANGE.to_owned(),
            routing_key: KEY.to_owned(),
        }],
        prefetch: 200,
        pace: LinkPace::default(),
    }
}

/// Resident memory of this process, in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u32 = line.split_whitespace().next().unwrap().parse().unwrap();
    f64::from(kibibytes) / 1024.0
}

#[derive(Clone, Copy, Default)]
struct Count {
    listening: bool,
    messages: usize,
}

struct Counter {
    count: watch::Sender<Count>,
    outcomes: Mutex<BTreeMap<MessageOutcome, usize>>,
}

impl Counter {
    fn new() -> (Arc<Self>, watch::Receiver<Count>) {
        let (count, seen) = watch::channel(Count::default());
        let counter = Self {
            count,
            outcomes: Mutex::default(),
        };
        (Arc::new(counter), seen)
    }
}

impl Sink for Counter {
    fn state(&self, state: LinkState) {
        self.count
            .send_modify(|count| count.listening |= matches!(state, LinkState::Listening { .. }));
    }

    fn message(&self, message: Message) {
        *self.outcomes.lock().unwrap().entry(message.outcome).or_default() += 1;
        self.count.send_if_modified(|count| {
            count.messages += 1;
            // Whoever looks at the memory does so now and then.
            count.messages.is_multiple_of(1000)
        });
    }
}

//! The real RabbitMQ, as ceilometer meets it: everything that comes into one queue is kept, with the time of its coming.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::FieldTable,
};
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::Failure;

/// Who the services are at the broker, and so are we.
pub const USER: &str = "openstack";
/// Of the user.
pub const PASSWORD: &str = "lab-rabbit";
/// Where it listens.
pub const ADDRESS: &str = "127.0.0.1:5672";

/// The exchanges of the services whose notifications matter.
const EXCHANGES: [&str; 2] = ["nova", "neutron"];
/// Every stock consumer's queue, and the key that it is bound with.
const TOPIC: &str = "notifications.info";
/// The key of what Nova announces with a version; only so it announces an interface.
const VERSIONED: &str = "versioned_notifications.info";
const PATIENCE: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Two consumers of the same messages: one of the queue `notifications.info` that ceilometer has, and one of a queue
/// that nobody knows. A third one hears what Nova announces with a version.
pub struct Consumers {
    channel: Channel,
    ceilometer: Consumer,
    control: Consumer,
    versioned: Consumer,
    _connection: Connection,
}

/// Bodies, each with the time of its coming.
type Came = Vec<(Instant, Vec<u8>)>;

struct Consumer {
    came: Arc<Mutex<Came>>,
    task: JoinHandle<()>,
}

impl Consumers {
    /// Begins with empty queues.
    pub async fn start() -> Result<Self, Failure> {
        let address = format!("amqp://{USER}:{PASSWORD}@{ADDRESS}/%2f");
        let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let control = own_queue(&channel, &EXCHANGES, TOPIC).await?;
        let versioned = own_queue(&channel, &["nova"], VERSIONED).await?;
        let backlog = QueuePurgeOptions::default();
        channel.queue_purge(TOPIC.into(), backlog).await?;
        Ok(Self {
            ceilometer: Consumer::of(&channel, TOPIC).await?,
            control: Consumer::of(&channel, &control).await?,
            versioned: Consumer::of(&channel, &versioned).await?,
            channel,
            _connection: connection,
        })
    }

    /// When the first message came that says this, after a moment. The inner text is compared, without spaces.
    pub fn first_after(&self, begun: Instant, event: &str, about: &str) -> Option<Instant> {
        self.control.first_after(begun, event, about)
    }

    /// Waits until Nova has announced this of a server, after a moment.
    pub async fn announced(&self, begun: Instant, event: &str, server: &str) -> Result<(), Failure> {
        let heard = async {
            while self.versioned.first_after(begun, event, server).is_none() {
                sleep(BETWEEN_LOOKS).await;
            }
        };
        let never = |_| format!("Nova never announced {event} of server {server}");
        Ok(timeout(PATIENCE, heard).await.map_err(never)?)
    }

    /// Publishes a last message and waits until both have it. Returns what each of them got, in order.
    pub async fn end(self) -> Result<[Vec<Value>; 2], Failure> {
        let last = format!("{{\"event_type\": \"e2e.end\", \"payload\": \"{:?}\"}}", Instant::now());
        for exchange in EXCHANGES {
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            self.channel
                .basic_publish(exchange.into(), TOPIC.into(), options, last.as_bytes(), properties)
                .await?;
        }
        let consumers = [&self.ceilometer, &self.control];
        let both = async {
            for consumer in consumers {
                while consumer
                    .came()
                    .iter()
                    .filter(|(_, body)| body == last.as_bytes())
                    .count()
                    < EXCHANGES.len()
                {
                    sleep(BETWEEN_LOOKS).await;
                }
            }
        };
        timeout(PATIENCE, both)
            .await
            .map_err(|_| "the last message never came")?;
        Ok(consumers.map(|consumer| consumer.came().iter().map(|(_, body)| inner(body)).collect()))
    }
}

/// Declares a queue that goes with the connection, and binds it.
async fn own_queue(channel: &Channel, exchanges: &[&str], key: &str) -> Result<String, Failure> {
    let own = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel.queue_declare("".into(), own, FieldTable::default()).await?;
    let name = queue.name().as_str().to_owned();
    for exchange in exchanges {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel
            .queue_bind(name.as_str().into(), (*exchange).into(), key.into(), options, none)
            .await?;
    }
    Ok(name)
}

impl Consumer {
    async fn of(channel: &Channel, queue: &str) -> Result<Self, Failure> {
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let mut deliveries = channel
            .basic_consume(queue.into(), "".into(), options, FieldTable::default())
            .await?;
        let came = Arc::default();
        let into: Arc<Mutex<Came>> = Arc::clone(&came);
        let task = tokio::spawn(async move {
            while let Some(Ok(delivery)) = deliveries.next().await {
                let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
                into.push((Instant::now(), delivery.data));
            }
        });
        Ok(Self { came, task })
    }

    fn first_after(&self, begun: Instant, event: &str, about: &str) -> Option<Instant> {
        let came = self.came();
        let found = came
            .iter()
            .rev()
            .take_while(|(at, _)| *at >= begun)
            .filter(|(_, body)| {
                let message = inner(body);
                message["event_type"] == event && message["payload"].to_string().contains(about)
            });
        found.last().map(|(at, _)| *at)
    }

    fn came(&self) -> MutexGuard<'_, Came> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What oslo.messaging has wrapped: a JSON text in JSON.
fn inner(body: &[u8]) -> Value {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    match message["oslo.message"].as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => message,
    }
}

//! What every test needs: settings that hurry, a sink that is asked, a service that publishes.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use multinic_model::{Broker, PortId};
use multinic_notifications::{
    Binding, Hint, LinkError, LinkPace, LinkSettings, LinkState, Message, QueueKind, QueueSettings, Sink, listen,
};
use multinic_testing::rabbitmq::{RabbitServer, RabbitVhost};
use multinic_transport::Tls;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::{sleep, timeout},
};
use uuid::Uuid;

pub const QUEUE: &str = "multinic.test.provider";
pub const INFO: &str = "notifications.info";

/// Nobody waits for longer: whatever has not come by then does not come.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where somebody may log in.
pub struct Place {
    pub address: SocketAddr,
    pub vhost: String,
    pub user: String,
    pub password: String,
}

impl From<&RabbitVhost> for Place {
    fn from(vhost: &RabbitVhost) -> Self {
        Self {
            address: vhost.address(),
            vhost: vhost.name().to_owned(),
            user: vhost.user().to_owned(),
            password: vhost.password().to_owned(),
        }
    }
}

impl From<&RabbitServer> for Place {
    fn from(server: &RabbitServer) -> Self {
        Self {
            address: server.address(),
            vhost: "/".to_owned(),
            user: server.user().to_owned(),
            password: server.password().to_owned(),
        }
    }
}

pub fn broker(address: SocketAddr) -> Broker {
    address.to_string().parse().unwrap()
}

pub fn binding(exchange: &str, routing_key: &str) -> Binding {
    Binding {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
    }
}

/// Settings for `nova` and `neutron` there, in a hurry.
pub fn settings(place: impl Into<Place>) -> LinkSettings {
    let place = place.into();
    LinkSettings {
        brokers: vec![broker(place.address)],
        vhost: place.vhost,
        user: place.user,
        password: place.password.into(),
        tls: Tls::default(),
        connection_name: "multinic test".to_owned(),
        heartbeat: Duration::from_mins(1),
        queue: QueueSettings {
            name: QUEUE.to_owned(),
            kind: QueueKind::Classic,
            max_length: 200_000,
            message_ttl: Duration::from_mins(10),
            expires: Duration::from_hours(1),
        },
        bindings: vec![binding("neutron", INFO), binding("nova", INFO)],
        prefetch: 200,
        pace: LinkPace {
            connect_timeout: Duration::from_secs(20),
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(200),
            first_login_pause: Duration::from_millis(400),
            longest_login_pause: Duration::from_millis(800),
            look_again: Duration::from_millis(50),
            stable: Duration::from_secs(1),
        },
    }
}

enum Seen {
    State(LinkState),
    Message(Message),
}

struct Inbox(UnboundedSender<Seen>);

impl Sink for Inbox {
    fn state(&self, state: LinkState) {
        let _ = self.0.send(Seen::State(state));
    }

    fn message(&self, message: Message) {
        let _ = self.0.send(Seen::Message(message));
    }
}

/// A running link and what it has told; ends when dropped.
pub struct Link {
    seen: UnboundedReceiver<Seen>,
    messages: Vec<Message>,
    task: JoinHandle<()>,
}

impl Link {
    pub fn start(settings: LinkSettings) -> Self {
        let (sender, seen) = unbounded_channel();
        Self {
            seen,
            messages: Vec::new(),
            task: tokio::spawn(listen(settings, Arc::new(Inbox(sender)))),
        }
    }

    /// Ends it and waits for its end: from then on it takes no message.
    pub async fn end(mut self) {
        self.task.abort();
        while patiently(self.seen.recv()).await.is_some() {}
    }

    /// The next state that `wanted` makes something of; what else is told meanwhile is kept.
    pub async fn state<T>(&mut self, wanted: impl Fn(LinkState) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Seen::State(state) => {
                    if let Some(found) = wanted(state) {
                        return found;
                    }
                }
                Seen::Message(message) => self.messages.push(message),
            }
        }
    }

    /// Waits until it listens; the broker and the absent exchanges.
    pub async fn listening(&mut self) -> (Broker, Vec<String>) {
        self.state(|state| match state {
            LinkState::Listening { broker, absent } => Some((broker, absent)),
            _ => None,
        })
        .await
    }

    /// Waits until it listens to everything.
    pub async fn complete(&mut self) -> Broker {
        self.state(|state| match state {
            LinkState::Listening { broker, absent } if absent.is_empty() => Some(broker),
            _ => None,
        })
        .await
    }

    /// Waits until it is lost.
    pub async fn lost(&mut self) -> LinkError {
        self.state(|state| match state {
            LinkState::Lost { error, .. } => Some(error),
            _ => None,
        })
        .await
    }

    /// So many messages.
    pub async fn messages(&mut self, count: usize) -> Vec<Message> {
        while self.messages.len() < count {
            match self.next().await {
                Seen::Message(message) => self.messages.push(message),
                Seen::State(LinkState::Lost { error, .. }) => panic!("{error}"),
                Seen::State(_) => {}
            }
        }
        self.messages.drain(..count).collect()
    }

    /// The numbers of so many [`numbered`] messages.
    pub async fn numbers(&mut self, count: usize) -> Vec<u32> {
        self.messages(count).await.iter().map(number).collect()
    }

    async fn next(&mut self) -> Seen {
        patiently(self.seen.recv()).await.expect("the link has ended")
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn patiently<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("nothing came")
}

/// Asks again and again.
pub async fn until<T>(mut asked: impl AsyncFnMut() -> Option<T>) -> T {
    patiently(async {
        loop {
            if let Some(answer) = asked().await {
                return answer;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// A message that can be told from the others.
pub fn numbered(number: u32) -> Vec<u8> {
    let port = Uuid::from_u128(number.into());
    format!(r#"{{"event_type": "port.delete.end", "payload": {{"port_id": "{port}"}}}}"#).into_bytes()
}

pub fn number(message: &Message) -> u32 {
    match &message.hints[..] {
        [Hint::Port(hint)] => number_of(hint.port),
        other => panic!("{other:?}"),
    }
}

fn number_of(port: PortId) -> u32 {
    let id: Uuid = port.to_string().parse().unwrap();
    id.as_u128().try_into().unwrap()
}

/// A service of OpenStack as far as its notifications go.
pub struct Service {
    channel: Channel,
    _connection: Connection,
}

impl Service {
    pub async fn connect(place: impl Into<Place>) -> Self {
        let place = place.into();
        let address = format!(
            "amqp://{}:{}@{}/{}",
            place.user,
            place.password,
            place.address,
            place.vhost.replace('/', "%2f")
        );
        let connection = Connection::connect(&address, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self {
            channel,
            _connection: connection,
        }
    }

    /// As oslo.messaging does before it publishes.
    pub async fn declare(&self, exchange: &str) {
        let options = ExchangeDeclareOptions::default();
        self.channel
            .exchange_declare(exchange.into(), ExchangeKind::Topic, options, FieldTable::default())
            .await
            .unwrap();
    }

    /// Returns when the broker has taken all of them.
    pub async fn publish(&self, exchange: &str, bodies: impl IntoIterator<Item = Vec<u8>>) {
        let mut last = None;
        for body in bodies {
            let (exchange, key) = (exchange.into(), INFO.into());
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            let taken = self
                .channel
                .basic_publish(exchange, key, options, &body, properties)
                .await
                .unwrap();
            last = Some(taken);
        }
        if let Some(last) = last {
            last.await.unwrap();
        }
        self.channel.wait_for_confirms().await.unwrap();
    }

    /// How many messages wait in a queue and have not been handed to anybody.
    pub async fn waiting(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = self
            .channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await;
        queue.unwrap().message_count()
    }

    /// For what only one test does.
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }
}

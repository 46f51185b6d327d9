//! Publishing as oslo.messaging does: the exchange is declared (topic, not durable), and so is a queue that is called like
//! the routing key and bound to it, so that whoever comes late misses nothing.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::FieldTable,
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo},
};

use super::Announcement;
use crate::LabError;

/// Where a service publishes, and as whom.
#[derive(Clone)]
pub struct Account {
    uri: AMQPUri,
}

impl Account {
    /// Without TLS.
    pub fn new(host: &str, port: u16, vhost: &str, user: &str, password: &str) -> Self {
        Self {
            uri: AMQPUri {
                scheme: AMQPScheme::AMQP,
                authority: AMQPAuthority {
                    userinfo: AMQPUserInfo {
                        username: user.to_owned(),
                        password: password.to_owned(),
                    },
                    host: host.to_owned(),
                    port,
                },
                vhost: vhost.to_owned(),
                query: AMQPQueryString::default(),
            },
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPAuthority { host, port, userinfo } = &self.uri.authority;
        write!(f, "{} at {host}:{port}{}", userinfo.username, self.uri.vhost)
    }
}

/// A service's connection to its broker. It does not come back by itself: connect again.
pub struct Publisher {
    channel: Channel,
    /// The channel ends with it.
    _connection: Connection,
    declared: Mutex<BTreeSet<(String, String)>>,
    published: AtomicU64,
}

impl Publisher {
    /// Logs in. The broker confirms every message.
    pub async fn connect(account: &Account) -> Result<Self, LabError> {
        let properties = ConnectionProperties::default().with_connection_name("a service of the lab".into());
        let connection = Connection::connect_uri(account.uri.clone(), properties).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self {
            channel,
            _connection: connection,
            declared: Mutex::default(),
            published: AtomicU64::default(),
        })
    }

    /// Publishes one; returns when the broker has it. It is stamped with the time and ids of its own.
    pub async fn publish(&self, announcement: &Announcement) -> Result<(), LabError> {
        self.publish_all([announcement]).await
    }

    /// Publishes many without waiting for each; returns when the broker has them all.
    pub async fn publish_all(&self, announcements: impl IntoIterator<Item = &Announcement>) -> Result<(), LabError> {
        for announcement in announcements {
            let number = self.published.fetch_add(1, Ordering::Relaxed);
            let body = announcement.clone().stamped(number, Timestamp::now()).body();
            self.send(announcement.exchange(), announcement.routing_key(), &body)
                .await?;
        }
        self.channel.wait_for_confirms().await?;
        Ok(())
    }

    /// Publishes any bytes as if they were an announcement; returns when the broker has them.
    pub async fn publish_raw(&self, exchange: &str, routing_key: &str, body: &[u8]) -> Result<(), LabError> {
        self.send(exchange, routing_key, body).await?;
        self.channel.wait_for_confirms().await?;
        Ok(())
    }

    async fn send(&self, exchange: &str, routing_key: &str, body: &[u8]) -> Result<(), LabError> {
        self.declare(exchange, routing_key).await?;
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_content_encoding("utf-8".into())
            .with_headers(FieldTable::default())
            .with_delivery_mode(2)
            .with_priority(0);
        self.channel
            .basic_publish(
                exchange.into(),
                routing_key.into(),
                BasicPublishOptions::default(),
                body,
                properties,
            )
            .await?;
        Ok(())
    }

    /// Once for each connection.
    async fn declare(&self, exchange: &str, routing_key: &str) -> Result<(), LabError> {
        let pair = (exchange.to_owned(), routing_key.to_owned());
        let declared = |set: &Mutex<BTreeSet<_>>| set.lock().unwrap_or_else(PoisonError::into_inner).contains(&pair);
        if declared(&self.declared) {
            return Ok(());
        }
        let none = FieldTable::default;
        let (options, kind) = (ExchangeDeclareOptions::default(), ExchangeKind::Topic);
        self.channel
            .exchange_declare(exchange.into(), kind, options, none())
            .await?;
        let (queue, options) = (routing_key, QueueDeclareOptions::default());
        self.channel.queue_declare(queue.into(), options, none()).await?;
        let options = QueueBindOptions::default();
        self.channel
            .queue_bind(queue.into(), exchange.into(), routing_key.into(), options, none())
            .await?;
        self.declared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pair);
        Ok(())
    }
}

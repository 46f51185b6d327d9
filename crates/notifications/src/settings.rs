//! How a broker is reached, and what is asked of it.

use std::time::Duration;

use multinic_model::Broker;
use multinic_transport::Tls;
use secrecy::SecretString;

/// One link: a virtual host of one broker or cluster of brokers.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Tried in turn; at least one.
    pub brokers: Vec<Broker>,
    /// The virtual host.
    pub vhost: String,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// How the certificate of a broker with [`Broker::tls`] is checked.
    pub tls: Tls,
    /// How the connection is named in RabbitMQ's own lists.
    pub connection_name: String,
    /// How long a silent broker is believed to be there; a beat is asked for every half of it. Whole seconds.
    pub heartbeat: Duration,
    /// Our own queue.
    pub queue: QueueSettings,
    /// What it is bound to.
    pub bindings: Vec<Binding>,
    /// Messages that are under way and not acknowledged, at most.
    pub prefetch: u16,
    /// How fast, how patient.
    pub pace: LinkPace,
}

/// Our own queue. It is bounded three times over, so that a multinic that is gone never harms the broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueSettings {
    /// Its name, one for each installation and provider.
    pub name: String,
    /// What it is made of.
    pub kind: QueueKind,
    /// Messages in it, at most; the oldest are dropped.
    pub max_length: u32,
    /// For so long a message waits.
    pub message_ttl: Duration,
    /// A queue that nobody has listened to for this long is deleted.
    pub expires: Duration,
}

/// What a queue is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueueKind {
    /// On one node.
    #[default]
    Classic,
    /// Replicated.
    Quorum,
}

/// What is bound to the queue. The exchange is the service's own and never declared, only looked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Binding {
    /// Such as `nova` (the service's `control_exchange`).
    pub exchange: String,
    /// Such as `notifications.info`: a topic and a priority.
    pub routing_key: String,
}

/// How fast and how patient a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkPace {
    /// For TCP, TLS, login and virtual host together.
    pub connect_timeout: Duration,
    /// The pause after a first failure; it doubles with each further one, and a random part of up to half of it is added.
    pub first_pause: Duration,
    /// The longest pause, before the random part is added.
    pub longest_pause: Duration,
    /// The first pause after a rejected login: whoever hammers gets locked out.
    pub first_login_pause: Duration,
    /// The longest of these.
    pub longest_login_pause: Duration,
    /// How often an absent exchange is looked for, and those that are there are bound again.
    pub look_again: Duration,
    /// A link that has held this long starts with the first pause again.
    pub stable: Duration,
}

impl Default for LinkPace {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(1),
            first_login_pause: Duration::from_mins(1),
            longest_login_pause: Duration::from_mins(30),
            look_again: Duration::from_secs(10),
            stable: Duration::from_mins(1),
        }
    }
}

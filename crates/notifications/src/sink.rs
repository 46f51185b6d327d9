//! Who is told what a link sees.

use std::time::Duration;

use jiff::Timestamp;
use multinic_model::Broker;
use strum::{Display, IntoStaticStr, VariantArray};

use crate::Hint;

/// Takes in what a link sees. It is called between two messages, so it must not wait for anything.
pub trait Sink: Send + Sync + 'static {
    /// The link's state has changed. Each [`LinkState::Listening`] means that something may have been missed before.
    fn state(&self, state: LinkState);

    /// A message has come. It is acknowledged when this returns.
    fn message(&self, message: Message);
}

/// Where a link stands.
#[derive(Clone, Debug)]
pub enum LinkState {
    /// A first connection is being made.
    Connecting,
    /// Everything that is published from now on arrives.
    Listening {
        /// On this broker.
        broker: Broker,
        /// Exchanges that do not exist: their services have not published anything since the broker started, or are
        /// called otherwise. They are looked for again.
        absent: Vec<String>,
    },
    /// There is no connection, and the next attempt comes after a pause.
    Lost {
        /// Why.
        error: LinkError,
        /// The pause.
        retry_in: Duration,
    },
}

/// Why a link does not stand. Shows no secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkError {
    /// No TCP or TLS connection, or no answer in time.
    #[error("failed to reach the broker {broker}: {reason}")]
    Unreachable {
        /// Which one.
        broker: Broker,
        /// What the system said.
        reason: String,
    },
    /// User or password are wrong.
    #[error("failed to log in to the broker {broker} as {user}: the broker refuses user or password")]
    LoginRefused {
        /// Which one.
        broker: Broker,
        /// As whom.
        user: String,
    },
    /// The virtual host does not exist, or the user may not use it, or not what is in it.
    #[error("failed to use the virtual host {vhost} of the broker {broker}: {reason}")]
    Forbidden {
        /// Which one.
        broker: Broker,
        /// Its virtual host.
        vhost: String,
        /// What the broker said.
        reason: String,
    },
    /// The queue exists and was declared otherwise.
    #[error("failed to declare the queue {queue}: {reason}; delete it, or give rabbitmq.queue.name another value")]
    QueueMismatch {
        /// Its name.
        queue: String,
        /// What the broker said.
        reason: String,
    },
    /// The queue was deleted under us, or moved.
    #[error("failed to go on listening: the broker {broker} has cancelled the consumer of the queue {queue}")]
    Cancelled {
        /// Which one.
        broker: Broker,
        /// The queue's name.
        queue: String,
    },
    /// The connection broke.
    #[error("failed to go on listening to the broker {broker}: {reason}")]
    Broken {
        /// Which one.
        broker: Broker,
        /// What was said.
        reason: String,
    },
}

impl LinkError {
    /// A bounded word for metrics and conditions.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::LoginRefused { .. } => "login-refused",
            Self::Forbidden { .. } => "forbidden",
            Self::QueueMismatch { .. } => "queue-mismatch",
            Self::Cancelled { .. } => "cancelled",
            Self::Broken { .. } => "broken",
        }
    }
}

/// A message that has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// What it is about.
    pub kind: EventKind,
    /// What became of it.
    pub outcome: MessageOutcome,
    /// When it was sent, by the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// What it hints at; empty unless the outcome is [`MessageOutcome::Hint`].
    pub hints: Vec<Hint>,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum MessageOutcome {
    /// It says that something may have changed.
    Hint,
    /// It is of no interest.
    Ignored,
    /// It cannot be understood; it is dropped.
    Malformed,
}

/// What a message is about: a closed list, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, IntoStaticStr, VariantArray)]
pub enum EventKind {
    /// `port.create.end`
    #[strum(serialize = "port.create")]
    PortCreate,
    /// `port.update.end`, and the `.start` of one that plugs a port in
    #[strum(serialize = "port.update")]
    PortUpdate,
    /// `port.delete.end`
    #[strum(serialize = "port.delete")]
    PortDelete,
    /// `subnet.*.end`
    #[strum(serialize = "subnet")]
    Subnet,
    /// `network.*.end`
    #[strum(serialize = "network")]
    Network,
    /// `compute.instance.*` and `instance.*` that say something new about a server.
    #[strum(serialize = "server")]
    Server,
    /// `compute.instance.delete.end` and `instance.delete.end`
    #[strum(serialize = "server.delete")]
    ServerDelete,
    /// `instance.interface_attach.end`
    #[strum(serialize = "interface.attach")]
    InterfaceAttach,
    /// `instance.interface_detach.end`
    #[strum(serialize = "interface.detach")]
    InterfaceDetach,
    /// Everything else.
    #[strum(serialize = "other")]
    Other,
}

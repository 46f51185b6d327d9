//! The services' exchanges: looked for, never declared.
//!
//! A service declares its exchange when it first publishes, and not durably: it goes with a restart of the broker, and every
//! binding with it.

use std::collections::{BTreeMap, BTreeSet};

use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions},
    types::FieldTable,
};

use super::{connection::short, failure::Failure};
use crate::{Binding, LinkSettings};

/// What the queue is to be bound to, and what of it is there.
pub(super) struct Exchanges {
    queue: Option<String>,
    wanted: BTreeMap<String, BTreeSet<String>>,
    present: BTreeSet<String>,
    /// Whoever asks for what is absent loses the channel.
    channel: Option<Channel>,
}

impl Exchanges {
    /// Those of the settings' bindings; nothing is asked yet.
    pub fn to_bind(settings: &LinkSettings) -> Self {
        Self {
            queue: Some(settings.queue.name.clone()),
            ..Self::to_find(&settings.bindings)
        }
    }

    /// The same, to be found only.
    pub fn to_find(bindings: &[Binding]) -> Self {
        let mut wanted = BTreeMap::<_, BTreeSet<_>>::new();
        for Binding { exchange, routing_key } in bindings {
            wanted.entry(exchange.clone()).or_default().insert(routing_key.clone());
        }
        Self {
            queue: None,
            wanted,
            present: BTreeSet::new(),
            channel: None,
        }
    }

    /// Those that were not there at the last look, sorted.
    pub fn absent(&self) -> Vec<String> {
        let absent = self.wanted.keys().filter(|name| !self.present.contains(*name));
        absent.cloned().collect()
    }

    /// Looks for all and binds what is there; whether any has come or gone.
    pub async fn look(&mut self, connection: &Connection) -> Result<bool, Failure> {
        let mut present = BTreeSet::new();
        for (exchange, keys) in &self.wanted {
            let channel = match &self.channel {
                Some(channel) => channel.clone(),
                None => connection.create_channel().await?,
            };
            let bound = bind(&channel, self.queue.as_deref(), exchange, keys).await;
            match bound.map_err(Failure::from) {
                Ok(()) => {
                    present.insert(exchange.clone());
                    self.channel = Some(channel);
                }
                Err(failure) if failure.is_absence() => self.channel = None,
                Err(failure) => return Err(failure),
            }
        }
        let changed = present != self.present;
        self.present = present;
        Ok(changed)
    }
}

async fn bind(channel: &Channel, queue: Option<&str>, exchange: &str, keys: &BTreeSet<String>) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(short(exchange)?, ExchangeKind::Topic, options, FieldTable::default())
        .await?;
    let Some(queue) = queue else { return Ok(()) };
    for key in keys {
        let (queue, exchange, key) = (short(queue)?, short(exchange)?, short(key)?);
        channel
            .queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default())
            .await?;
    }
    Ok(())
}

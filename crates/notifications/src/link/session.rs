//! From a connection to the first message, and on to the last.

use futures::{FutureExt, StreamExt};
use lapin::{Channel, Consumer, message::Delivery, options::BasicAckOptions};
use multinic_model::Broker;
use tokio::{
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{
    connection::{Connected, connect},
    exchanges::Exchanges,
    failure::Failure,
    queue,
};
use crate::{LinkError, LinkSettings, LinkState, Sink, decode};

/// So many messages are acknowledged together, at most: one by one would be half of the work.
const TOGETHER: usize = 100;

/// Everything is made, and messages may come.
pub(super) struct Session {
    // In the order in which they are to be dropped.
    consumer: Consumer,
    channel: Channel,
    exchanges: Exchanges,
    connected: Connected,
}

/// Why a delivery is the last.
enum End {
    Cancelled,
    Failed(Failure),
}

impl From<lapin::Error> for End {
    fn from(error: lapin::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Session {
    /// Connects to the broker and makes queue and bindings.
    pub async fn open(settings: &LinkSettings, broker: &Broker) -> Result<Self, LinkError> {
        let connected = connect(settings, broker).await?;
        let within = settings.pace.connect_timeout;
        let prepared = timeout(within, prepare(settings, &connected))
            .await
            .unwrap_or_else(|_| Err(Failure::silent(within)));
        let (consumer, channel, exchanges) = prepared.map_err(|failure| failure.of_topology(broker, settings))?;
        Ok(Self {
            consumer,
            channel,
            exchanges,
            connected,
        })
    }

    /// Hands every message to the sink, until the link ends.
    pub async fn listen(mut self, settings: &LinkSettings, sink: &dyn Sink) -> LinkError {
        let broker = self.connected.broker.clone();
        match self.take_all(settings, sink).await {
            End::Cancelled => LinkError::Cancelled {
                broker,
                queue: settings.queue.name.clone(),
            },
            End::Failed(failure) => failure.of_listening(&broker),
        }
    }

    async fn take_all(&mut self, settings: &LinkSettings, sink: &dyn Sink) -> End {
        let pace = &settings.pace;
        let mut look = interval_at(Instant::now() + pace.look_again, pace.look_again);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tell(sink);
        loop {
            let went_well = tokio::select! {
                delivery = self.consumer.next() => self.take(delivery, sink).await,
                _ = look.tick() => self.look_again(settings, sink).await,
            };
            if let Err(end) = went_well {
                return end;
            }
        }
    }

    /// Hands over this message and those that have come with it, then acknowledges them together.
    async fn take(&mut self, first: Option<lapin::Result<Delivery>>, sink: &dyn Sink) -> Result<(), End> {
        let mut last = hand_over(first, sink)?;
        let mut end = None;
        for _ in 1..TOGETHER {
            let Some(next) = self.consumer.next().now_or_never() else {
                break;
            };
            match hand_over(next, sink) {
                Ok(tag) => last = tag,
                Err(ended) => {
                    end = Some(ended);
                    break;
                }
            }
        }
        let acknowledged = self.channel.basic_ack(last, BasicAckOptions { multiple: true }).await;
        end.map_or(Ok(()), Err)?;
        acknowledged?;
        // The library's futures are often ready at once: a backlog would keep everybody else waiting.
        yield_now().await;
        Ok(())
    }

    async fn look_again(&mut self, settings: &LinkSettings, sink: &dyn Sink) -> Result<(), End> {
        let within = settings.pace.connect_timeout;
        let looked = timeout(within, self.exchanges.look(&self.connected.connection)).await;
        let changed = looked.unwrap_or_else(|_| Err(Failure::silent(within)));
        if changed.map_err(End::Failed)? {
            self.tell(sink);
        }
        Ok(())
    }

    fn tell(&self, sink: &dyn Sink) {
        sink.state(LinkState::Listening {
            broker: self.connected.broker.clone(),
            absent: self.exchanges.absent(),
        });
    }
}

async fn prepare(settings: &LinkSettings, connected: &Connected) -> Result<(Consumer, Channel, Exchanges), Failure> {
    let channel = connected.connection.create_channel().await?;
    queue::declare(&channel, &settings.queue).await?;
    let mut exchanges = Exchanges::to_bind(settings);
    exchanges.look(&connected.connection).await?;
    let consumer = queue::consume(&channel, settings).await?;
    Ok((consumer, channel, exchanges))
}

fn hand_over(delivery: Option<lapin::Result<Delivery>>, sink: &dyn Sink) -> Result<u64, End> {
    let delivery = delivery.ok_or(End::Cancelled)??;
    sink.message(decode(&delivery.data));
    Ok(delivery.delivery_tag)
}

//! Our own queue: durable, and bounded three times over.

use std::time::Duration;

use lapin::{
    Channel, Consumer,
    options::{BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::connection::short;
use crate::{LinkSettings, QueueKind, QueueSettings};

/// Makes the queue, or finds it made alike.
pub(super) async fn declare(channel: &Channel, queue: &QueueSettings) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(short(&queue.name)?, options, arguments(queue)?)
        .await
        .map(drop)
}

/// Asks for its messages.
pub(super) async fn consume(channel: &Channel, settings: &LinkSettings) -> lapin::Result<Consumer> {
    channel.basic_qos(settings.prefetch, BasicQosOptions::default()).await?;
    // An empty tag is given one by the broker.
    channel
        .basic_consume(
            short(&settings.queue.name)?,
            short("")?,
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
}

fn arguments(queue: &QueueSettings) -> lapin::Result<FieldTable> {
    let kind = match queue.kind {
        QueueKind::Classic => "classic",
        QueueKind::Quorum => "quorum",
    };
    let mut arguments = FieldTable::default();
    for (name, value) in [
        ("x-queue-type", AMQPValue::LongString(kind.into())),
        ("x-max-length", AMQPValue::LongLongInt(queue.max_length.into())),
        ("x-overflow", AMQPValue::LongString("drop-head".into())),
        ("x-message-ttl", milliseconds(queue.message_ttl)),
        ("x-expires", milliseconds(queue.expires)),
    ] {
        arguments.insert(short(name)?, value);
    }
    Ok(arguments)
}

/// The broker refuses an expiry of nothing, and times of more than 49 days.
fn milliseconds(time: Duration) -> AMQPValue {
    let bounded = time.as_millis().clamp(1, u32::MAX.into());
    AMQPValue::LongLongInt(i64::try_from(bounded).unwrap_or(i64::MAX))
}

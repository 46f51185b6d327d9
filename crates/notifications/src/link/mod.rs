//! The link to RabbitMQ: one connection to one of several brokers, made again for as long as somebody wants it.
//!
//! Read in this order: [`listen`] (the rounds), `session` (one link from its beginning to its end), `connection`, `queue` and
//! `exchanges` (what it is made of), `pauses` and `turn` (when and where to try again), `failure` (what an error means),
//! `transport` and `runtime` (the bytes below), [`probe`](mod@probe) (a look without listening).

mod connection;
mod exchanges;
mod failure;
mod pauses;
pub mod probe;
mod queue;
mod runtime;
mod session;
mod transport;
mod turn;

use std::sync::Arc;

use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::{LinkError, LinkSettings, LinkState, Sink};
use pauses::Pauses;
use session::Session;
use turn::{Turn, ends_round, nobody, telling};

/// Listens until dropped, and tells the sink. Dropping it ends the connection; what was not acknowledged stays in the queue.
pub async fn listen(settings: LinkSettings, sink: Arc<dyn Sink>) {
    let mut turn = Turn::new(&settings.brokers);
    let mut pauses = Pauses::new(settings.pace);
    sink.state(LinkState::Connecting);
    loop {
        let error = match open(&settings, &mut turn).await {
            Ok(session) => {
                let since = Instant::now();
                let error = session.listen(&settings, &*sink).await;
                pauses.held(since.elapsed());
                error
            }
            Err(error) => error,
        };
        let retry_in = pauses.after(&error, rand::random());
        sink.state(LinkState::Lost { error, retry_in });
        sleep(retry_in).await;
    }
}

/// One round: the first broker that takes us.
async fn open(settings: &LinkSettings, turn: &mut Turn<'_>) -> Result<Session, LinkError> {
    let mut told = None;
    for broker in turn.round() {
        match Session::open(settings, broker).await {
            Ok(session) => return Ok(session),
            Err(error) => {
                debug!(%error, "no link to this broker");
                let last = ends_round(&error);
                told = Some(telling(told, error));
                if last {
                    break;
                }
            }
        }
    }
    Err(told.unwrap_or_else(nobody))
}

//! A look at a broker that leaves nothing behind, for a diagnosis.

use multinic_model::Broker;
use tokio::time::timeout;

use super::{
    connection::connect,
    exchanges::Exchanges,
    failure::Failure,
    turn::{ends_round, nobody, telling},
};
use crate::{LinkError, LinkSettings};

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probe {
    /// The broker that took us.
    pub broker: Broker,
    /// Exchanges that do not exist.
    pub absent: Vec<String>,
}

/// Connects to the first broker that takes us, logs in once, and looks for the exchanges. Declares and binds nothing.
pub async fn probe(settings: &LinkSettings) -> Result<Probe, LinkError> {
    let mut told = None;
    for broker in &settings.brokers {
        match look(settings, broker).await {
            Ok(probe) => return Ok(probe),
            Err(error) if ends_round(&error) => return Err(error),
            Err(error) => told = Some(telling(told, error)),
        }
    }
    Err(told.unwrap_or_else(nobody))
}

async fn look(settings: &LinkSettings, broker: &Broker) -> Result<Probe, LinkError> {
    let connected = connect(settings, broker).await?;
    let mut exchanges = Exchanges::to_find(&settings.bindings);
    let within = settings.pace.connect_timeout;
    timeout(within, exchanges.look(&connected.connection))
        .await
        .unwrap_or_else(|_| Err(Failure::silent(within)))
        .map_err(|failure| failure.of_topology(broker, settings))?;
    Ok(Probe {
        broker: broker.clone(),
        absent: exchanges.absent(),
    })
}

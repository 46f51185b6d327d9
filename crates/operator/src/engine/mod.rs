//! The engine: turns events into passes, one per cluster at a time.
//!
//! One task owns everything that changes (which config is where, what is due, what is remembered of each cluster); passes
//! run in tasks of their own, get what they need and hand back what they learned. A pass that waits for a slow cloud
//! holds nothing that another one needs.

mod conductor;
mod memory;
mod pace;
mod workers;

use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    announce::Announcer,
    departures::RemovalsError,
    leader::Fence,
    observe::{Heartbeat, Metrics},
    settings::SettingsState,
    watch::Caches,
};
use conductor::Conductor;
pub use memory::{Look, Memory, Wish};
pub use pace::Pace;

/// Everything that the engine works with.
pub struct EngineContext {
    /// Refuses to write once the fence is closed.
    pub client: Client,
    /// Whether we may write.
    pub fence: Fence,
    /// The settings in force.
    pub settings: watch::Receiver<SettingsState>,
    /// The OpenstackConfigs.
    pub configs: Caches,
    /// Numbers.
    pub metrics: Metrics,
    /// Sign of life.
    pub heartbeat: Heartbeat,
    /// Events.
    pub announcer: Announcer,
    /// How fast, how much, how patient.
    pub pace: Pace,
    /// The operator's own namespace.
    pub namespace: String,
    /// Ends the engine.
    pub shutdown: CancellationToken,
}

/// Why the engine could not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// What earlier deletions have left behind could not be read.
    #[error("failed to begin")]
    Removals(#[source] RemovalsError),
}

/// Runs for one term of leadership, until `shutdown`; then it lets running passes end at their next step.
///
/// What was spawned is aborted when the future is dropped.
pub async fn run(context: EngineContext) -> Result<(), EngineError> {
    let heartbeat = context.heartbeat.clone();
    let outcome = match Conductor::begin(context).await {
        Ok(mut conductor) => {
            conductor.run().await;
            Ok(())
        }
        Err(error) => Err(EngineError::Removals(error)),
    };
    heartbeat.stop();
    outcome
}

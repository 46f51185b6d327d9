//! What the operator shows of itself: metrics, probes, logs and traces.

mod clusters;
mod heartbeat;
mod metrics;
mod process;
mod requests;

pub use heartbeat::Heartbeat;
pub use metrics::{Metrics, PassOutcome};

//! What the operator shows of itself: metrics, probes, logs and traces.

mod heartbeat;
mod metrics;

pub use heartbeat::Heartbeat;
pub use metrics::{Metrics, PassOutcome};

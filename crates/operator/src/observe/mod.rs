//! What the operator shows of itself: metrics, probes, logs and traces.

mod clusters;
mod heartbeat;
mod http;
mod metrics;
mod notifications;
mod process;
mod requests;
mod telemetry;

pub use heartbeat::Heartbeat;
pub use http::{ListenError, Listener, Pages};
pub use metrics::{Metrics, PassOutcome};
pub use notifications::{LinkNumbers, Notifications};
pub use telemetry::{DEFAULT_FILTER, TelemetryError, TelemetryOptions, Traces};

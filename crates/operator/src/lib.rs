//! The Kubernetes operator: watch, queue, settings, status, events, leader election.

pub mod announce;
pub mod client;
pub mod leader;
pub mod observe;
pub mod options;
mod run;
pub mod settings;

pub mod departures;
pub mod engine;
pub mod finalizer;
pub mod hints;
pub mod index;
mod manager;
mod pass;
mod queue;
pub mod status;
pub mod watch;

pub use options::{Options, host_name};
pub use run::{Operator, OperatorError};

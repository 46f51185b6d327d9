//! The Kubernetes operator: watch, queue, settings, status, events, leader election.

pub mod announce;
pub mod client;
pub mod leader;
pub mod observe;
pub mod settings;

mod queue;

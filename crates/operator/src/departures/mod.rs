//! Removals that outlive their OpenstackConfig: a deletion waits for the management API only so long.
//!
//! They lie in one ConfigMap of the operator's namespace, one key for each deleted config, and take part in every pass over
//! their cluster until the management API has taken them.

mod list;
mod store;

pub use list::{MAX_BYTES, Queued, RemovalList};
pub use store::{CONFIG_MAP, Removals, RemovalsError};

//! Step *deliver*: the client of the management API (contract 3.3).
//!
//! [`ManagementApi::read_back`] reads what a cluster holds already, [`ManagementApi::deliver`] posts node configs in
//! batches and says for each node what became of it, [`ManagementApi::probe`] tells `doctor` what the server offers.

mod answer;
mod client;
mod deliver;
mod error;
#[cfg(test)]
mod fuzz;
mod probe;
mod read_back;
mod result;

use multinic_model::NodeConfig;

pub use client::{ManagementApi, ManagementApiSettings, ReadBack};
pub use error::DeliveryError;
pub use multinic_transport::{AlwaysOpen, Gate, Pauses, RetryPolicy};
pub use probe::Probe;
pub use result::{Batch, Delivery, NodeResult};

/// The body of one POST, byte for byte what [`ManagementApi::deliver`] sends for these nodes.
pub fn body(nodes: &[&NodeConfig]) -> Result<Vec<u8>, DeliveryError> {
    serde_json::to_vec(nodes).map_err(DeliveryError::Body)
}

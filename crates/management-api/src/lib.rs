//! The MultiNIC management API: takes node configs over HTTP (contract 3.3) and keeps them with their history.
//!
//! Read in this order: [`store`] (what is kept), [`http`] (the contract), [`delivery`] (what gets into the clusters), [`server`] (one process put together).

pub mod delivery;
mod feed;
pub mod http;
mod listener;
mod metrics;
mod object;
mod reload;
pub mod server;
pub mod store;
pub mod tls;
mod whole;

pub use metrics::sample as sample_metrics;

//! A client that reads from the management API, for people and tools: [`ApiReader`].
//!
//! Delivering node configs is `multinic-delivery`'s. Every reading is generic over what an item is read as: the types
//! of [`views`] for those who look into it, `serde_json::Value` for those who hand it on as it came.

mod error;
mod events;
mod pages;
mod problem;
mod reader;
pub mod views;
mod watch;

pub use error::ReadError;
pub use multinic_transport::{Endpoint, EndpointError, Pauses, RetryPolicy, SendErrorKind, Tls, printable};
pub use pages::Pages;
pub use problem::{Fault, Problem};
pub use reader::{ApiReader, NodeFilter, ReaderSettings};
pub use watch::{Told, Watch};

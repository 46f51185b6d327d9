//! For tests only: a scripted HTTP server ([`server`]), fuzzing on stable Rust ([`fuzz`]), PostgreSQL ([`postgres`]),
//! RabbitMQ ([`rabbitmq`]), an address that leads elsewhere ([`relay`]), clients of the management API with a long memory
//! ([`writers`]), and deliveries as they are expected ([`expect`]).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests only"
)]
#![allow(clippy::print_stderr, reason = "the figures of a fuzz run")]

pub mod expect;
pub mod fuzz;
pub mod postgres;
mod programs;
pub mod rabbitmq;
pub mod relay;
pub mod server;
pub mod writers;

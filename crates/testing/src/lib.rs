//! For tests only: a scripted HTTP server ([`server`]) and fuzzing on stable Rust ([`fuzz`]).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests only"
)]
#![allow(clippy::print_stderr, reason = "the figures of a fuzz run")]

pub mod fuzz;
pub mod server;

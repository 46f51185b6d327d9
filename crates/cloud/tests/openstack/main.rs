//! The client against a small OpenStack whose every answer is written in the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod reads;
mod sessions;
mod support;
mod transport;

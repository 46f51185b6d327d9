//! The operator as a process: killed, stopped, asked to end, and its neighbours with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod kills;
mod leader;
mod outages;
mod real_api;
mod replica;
mod secrets;
mod stage;

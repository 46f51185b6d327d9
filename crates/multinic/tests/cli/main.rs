//! The command as a user runs it: a subprocess against the simulated cloud.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod api;
mod bad_input;
mod demo;
mod doctor;
mod get;
mod operator;
mod output;
mod prints;
mod real_api;
mod secrets;
mod world;

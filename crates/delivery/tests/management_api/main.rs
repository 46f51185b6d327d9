//! The client against a server whose every answer is written in the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod deliver;
mod fence;
mod read_back;
mod support;

//! The guides to the operator and to the management API, in both languages, against the program: every reason, every metric, alerts that mean something.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod alerts;
mod guide;
mod metrics;
mod pairs;
mod problems;
mod reasons;

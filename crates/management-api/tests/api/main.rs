//! The management API on SQLite and on PostgreSQL: the store by itself, then everything over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod delivery;
mod docs;
mod http;
mod store;
mod support;

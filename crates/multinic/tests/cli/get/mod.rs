//! `multinic get` against the real server on SQLite.

pub mod api;
mod errors;
mod golden;
mod pages;
mod watch;

//! The link on a real RabbitMQ: what it makes there, what it takes, and how it comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod broker;
mod login;
mod messages;
mod support;
mod tls;
mod topology;

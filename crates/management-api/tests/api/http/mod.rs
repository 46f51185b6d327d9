//! The contract over HTTP.

mod access;
mod bad_days;
mod bodies;
mod operator;
mod post;
mod providers;
mod read;
mod watch;

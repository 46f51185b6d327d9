//! The contract over HTTP.

mod access;
mod bad_days;
mod bodies;
mod docs;
mod full_disk;
mod hostile;
mod operator;
mod outages;
mod post;
mod providers;
mod read;
mod review;
mod tls;
mod watch;

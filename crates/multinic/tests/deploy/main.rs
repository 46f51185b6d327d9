//! The folder deploy/, applied by the real kubectl, against what the program expects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod cluster;
mod management_api;
mod manifests;
mod pod;

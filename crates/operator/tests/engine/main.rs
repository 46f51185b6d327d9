//! The engine against a cloud, a management API and a Kubernetes API: stories of months, in seconds.
//!
//! The Kubernetes API is the lab's, or the cluster that `MULTINIC_TEST_KUBECONFIG` names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod announced;
mod crash;
mod deletion;
mod isolation;
mod lifecycle;
mod outages;
mod panics;
mod quiet;
mod spans;
mod stage;
mod union;

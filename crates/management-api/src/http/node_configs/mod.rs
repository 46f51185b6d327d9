//! `/v1/k8s/multinic/node-configs`: what each node of a cluster should have.

pub mod list;
pub mod one;
pub mod post;
pub mod revisions;
pub mod status;
pub mod watch;

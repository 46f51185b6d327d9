//! A small Kubernetes API on loopback, for demo, tests and benches only.
//!
//! It speaks as much of the API machinery as kube-rs, the operator and kubectl use, and answers like a recorded
//! Kubernetes 1.36. What it does not implement it refuses, with a `Status` that says so; it is never silently wrong.
//!
//! ```no_run
//! use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let lab = KubernetesLab::builder().user("operator", "operator-token").start().await?;
//! lab.apply_yaml("{apiVersion: v1, kind: Namespace, metadata: {name: multinic-system}}")?;
//! std::fs::write("kubeconfig", lab.kubeconfig_of("operator"))?;
//! lab.fail(Matcher::any().verb("patch").subresource("status"), Fault::Status(503), Times::N(2));
//! lab.restart().await?;
//! # Ok(())
//! # }
//! ```
//!
//! There are no controllers: Deployments run nothing, Services get no address, no ServiceAccount is made for a
//! namespace, and nothing collects what its owner left behind. Only the end of namespaces and of
//! CustomResourceDefinitions is played. Built-in kinds are checked against their types and a handful of rules, not
//! against every rule of Kubernetes, and get no defaults. Access is not controlled; the log of requests tells which
//! permissions would have been needed.

mod apply;
mod builder;
mod definitions;
mod discovery;
mod endings;
mod error;
mod events;
mod fault;
mod handle;
mod http;
mod kinds;
mod log;
mod object;
mod operations;
mod patch;
mod reviews;
mod schema;
mod selectors;
mod server;
mod state;
mod status;
mod store;
mod strategy;
mod table;
mod tls;

pub use builder::KubernetesLabBuilder;
pub use error::LabError;
pub use fault::{Fault, Matcher, Times};
pub use handle::KubernetesLab;
pub use log::LoggedRequest;
pub use reviews::ReviewedToken;

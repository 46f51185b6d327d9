//! One file per subcommand.

pub mod api;
pub mod completions;
pub mod crd;
pub mod demo;
pub mod doctor;
pub mod get;
pub mod operator;
pub mod plan;
pub mod sync;

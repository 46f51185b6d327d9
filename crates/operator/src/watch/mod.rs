//! The watch of all OpenstackConfigs. Every replica watches; only the leader's engine acts on it.

mod broken;
mod caches;
mod object;

pub use caches::Caches;
pub use object::Watched;

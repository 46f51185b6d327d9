//! Node configs in, objects in the clusters out: over real sockets, into small Kubernetes APIs.

mod clusters;
mod empty;
mod failures;
mod objects;
mod stage;

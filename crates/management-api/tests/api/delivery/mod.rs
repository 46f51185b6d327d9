//! Node configs in, objects in the clusters out: over real sockets, into small Kubernetes APIs.

mod clusters;
mod drift;
mod empty;
mod failures;
mod histories;
mod objects;
mod stage;

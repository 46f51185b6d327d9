//! The Kubernetes operator: watch, queue, settings, status, events, leader election.

//! A small Kubernetes API on loopback, for demo, tests and benches only.

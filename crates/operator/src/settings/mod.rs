//! The settings in force: one ConfigMap and the Secrets that it names, watched live.

mod state;

pub use state::{Current, Readings, Rejection, RejectionReason, SettingsState};

//! The settings in force: one ConfigMap and the Secrets that it names, watched live.
//!
//! `watched` follows objects by name, `known` is what is known of them, `references` says which Secrets matter, `assess`
//! makes settings of it all or says why not, `live` keeps the last good ones in force and tells everybody.

mod assess;
mod known;
mod live;
mod references;
mod report;
mod state;
mod watched;

pub use live::{SettingsHandle, SettingsSource, follow};
pub use report::announce;
pub use state::{Current, Rejection, RejectionReason, SettingsState};

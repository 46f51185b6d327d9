//! What an operator is told at its start. Everything else is in the settings, which change while it runs.

use std::{net::SocketAddr, time::Duration};

use multinic_sync::readings::ReadingsPace;

use crate::{engine, leader::Timing};

/// One replica of the operator.
#[derive(Clone, Debug)]
pub struct Options {
    /// The operator's own namespace: settings, Secrets, lease and queued removals.
    pub namespace: String,
    /// The ConfigMap with the settings.
    pub config_map: String,
    /// Only OpenstackConfigs of this namespace; `None`: of all.
    pub watch_namespace: Option<String>,
    /// Where metrics and probes are served; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// This replica's name in the lease and in Events.
    pub identity: String,
    /// `None`: this is the only replica, and it leads without asking.
    pub election: Option<LeaseOptions>,
    /// Lengths of time that are no settings.
    pub pace: OperatorPace,
}

/// The lease that replicas take in turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseOptions {
    /// Its name.
    pub name: String,
    /// How long it lasts.
    pub timing: Timing,
}

/// How patient the operator is.
#[derive(Clone, Debug)]
pub struct OperatorPace {
    /// The engine's own.
    pub engine: engine::Pace,
    /// How requests to Contrabass, OpenStack and the management API are repeated.
    pub requests: multinic_sync::Pace,
    /// How readings of OpenStack are repeated; `None`: as the interval of the settings has it.
    pub readings: Option<ReadingsPace>,
    /// A burst of changes to the settings has ended when nothing has come for this long.
    pub settings_quiet: Duration,
    /// How long the engine may take to finish or abandon its steps when it must stop.
    pub grace: Duration,
}

impl Default for OperatorPace {
    fn default() -> Self {
        Self {
            engine: engine::Pace::default(),
            requests: multinic_sync::Pace::default(),
            readings: None,
            settings_quiet: Duration::from_millis(300),
            grace: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// The usual names, with leader election, without a server of metrics and probes.
    pub fn new(namespace: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            config_map: "multinic-operator-config".to_owned(),
            watch_namespace: None,
            listen: None,
            identity: identity.into(),
            election: Some(LeaseOptions::default()),
            pace: OperatorPace::default(),
        }
    }
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self {
            name: "multinic-operator".to_owned(),
            timing: Timing::default(),
        }
    }
}

/// This machine's name: in a pod, the pod's.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

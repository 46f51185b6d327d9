//! How fast, how much, how patient: what tests do otherwise than a cluster.

use std::time::Duration;

use jiff::Timestamp;

use crate::queue::Backoff;

/// The engine's measures. Intervals that users set come from the settings.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// So long a pass waits for the reading of a project before it goes on without it.
    pub patience: Duration,
    /// Between failures of one cluster.
    pub backoff: Backoff,
    /// Passes that plan and deliver at the same time.
    pub passes: usize,
    /// Read-backs from the management API at the same time.
    pub read_backs: usize,
    /// Writes to Kubernetes at the same time.
    pub writes: usize,
    /// Where the management API has no GET, everything is sent at every so many-th resync.
    pub full_send_every: u32,
    /// While ports that were taken up are not wired, a cluster is looked at again after a fifth of the interval, but not
    /// sooner than this.
    pub wiring_pause: Duration,
    /// So often in a row. The ports of a server that stays off are never wired.
    pub wiring_looks: u32,
    /// After a change of where the news of a provider come from, its configs say so after this long: a broker that restarts
    /// is soon back.
    pub restate_pause: Duration,
    /// As `sync.deletionTimeout`, while there never were usable settings.
    pub deletion_timeout: Duration,
    /// Random numbers from 0.0 to 1.0, for jitter.
    pub random: fn() -> f64,
    /// The clock on the wall.
    pub now: fn() -> Timestamp,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            backoff: Backoff::default(),
            passes: 8,
            read_backs: 16,
            writes: 16,
            full_send_every: 12,
            wiring_pause: Duration::from_secs(15),
            wiring_looks: 10,
            restate_pause: Duration::from_secs(5),
            deletion_timeout: Duration::from_mins(10),
            random: rand::random,
            now: Timestamp::now,
        }
    }
}

//! How patient the keepers of links are.

use std::time::Duration;

use jiff::Timestamp;

use crate::queue::Backoff;

/// The measures of [`Links`](super::Links). Those of one connection are the link's own.
#[derive(Clone, Copy, Debug)]
pub struct LinksPace {
    /// Between failed questions to Contrabass.
    pub backoff: Backoff,
    /// So often Contrabass is asked whether a provider's broker or its password has changed.
    pub ask_again: Duration,
    /// Random numbers from 0.0 to 1.0, for jitter.
    pub random: fn() -> f64,
    /// The clock on the wall.
    pub now: fn() -> Timestamp,
}

impl Default for LinksPace {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            ask_again: Duration::from_mins(5),
            random: rand::random,
            now: Timestamp::now,
        }
    }
}

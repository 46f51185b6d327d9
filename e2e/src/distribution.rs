//! How long something took, many times over.

use std::{fmt, time::Duration};

/// Lengths of time, in order of size.
#[derive(Default)]
pub struct Distribution(Vec<Duration>);

impl Distribution {
    /// Takes in one more.
    pub fn add(&mut self, took: Duration) {
        let at = self.0.partition_point(|known| *known <= took);
        self.0.insert(at, took);
    }

    /// The smallest that at least so many percent of all do not exceed.
    fn percentile(&self, percent: usize) -> u128 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).map_or(0, Duration::as_millis)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [min, median, p95, max] = [0, 50, 95, 100].map(|percent| self.percentile(percent));
        write!(
            f,
            "min {min} ms, median {median} ms, p95 {p95} ms, max {max} ms of {}",
            self.0.len()
        )
    }
}

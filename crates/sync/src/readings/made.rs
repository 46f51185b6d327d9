//! How many readings were made.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts; they only grow.
#[derive(Debug, Default)]
pub struct Made {
    whole: AtomicU64,
    parts: AtomicU64,
}

impl Made {
    /// Readings of everything that is wanted of a place.
    pub fn whole(&self) -> u64 {
        self.whole.load(Relaxed)
    }

    /// Readings of what was hinted at.
    pub fn parts(&self) -> u64 {
        self.parts.load(Relaxed)
    }

    pub(super) fn count(&self, part: bool) {
        let count = if part { &self.parts } else { &self.whole };
        count.fetch_add(1, Relaxed);
    }
}

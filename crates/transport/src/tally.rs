//! Requests counted by class of answer.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use http::StatusCode;

/// The classes: those of the status, and `none` when no complete answer came.
const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "none"];

/// Requests counted by class of answer. Only grows.
#[derive(Debug, Default)]
pub struct Tally([AtomicU64; CLASSES.len()]);

impl Tally {
    /// Counts one request.
    pub fn count(&self, status: Option<StatusCode>) {
        let class = match status.map(|status| status.as_u16() / 100) {
            Some(2) => "2xx",
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(_) => "5xx",
            None => "none",
        };
        for (name, count) in CLASSES.iter().zip(&self.0) {
            if *name == class {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Every class that was met so far: `2xx`, `3xx`, `4xx`, `5xx`, `none`.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = CLASSES.iter().zip(&self.0);
        counts
            .map(|(class, count)| (*class, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_class() {
        let tally = Tally::default();
        assert!(tally.counts().is_empty());
        let answers = [200, 204, 302, 404, 409, 429, 503, 599].map(|code| StatusCode::from_u16(code).ok());
        for status in answers.into_iter().chain([None]) {
            tally.count(status);
        }
        let expected = [("2xx", 2), ("3xx", 1), ("4xx", 3), ("5xx", 2), ("none", 1)];
        assert_eq!(tally.counts(), BTreeMap::from(expected));
    }
}

//! What reviews have said, for a while, and never of more than so many tokens.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Flight, Reviewed, TokenDigest};

/// Whose tokens are, and which are nobody's: apart, so that a flood of wrong tokens drives out no good one.
pub(super) struct Cache {
    known: Remembered<Arc<Reviewed>>,
    unknown: Remembered<()>,
    /// Reviews under way.
    pub flying: BTreeMap<TokenDigest, Flight>,
}

impl Cache {
    pub const fn new(limit: usize) -> Self {
        Self {
            known: Remembered::new(limit),
            unknown: Remembered::new(limit),
            flying: BTreeMap::new(),
        }
    }

    /// `None`: ask; `Some(None)`: nobody's.
    #[allow(
        clippy::option_option,
        reason = "not known, and known to be nobody's, are two answers"
    )]
    pub fn get(&self, digest: &TokenDigest, now: Instant) -> Option<Option<Arc<Reviewed>>> {
        let known = self.known.get(digest, now).cloned().map(Some);
        known.or_else(|| self.unknown.get(digest, now).map(|()| None))
    }

    pub fn put(&mut self, digest: TokenDigest, outcome: Option<Arc<Reviewed>>, now: Instant, time: Duration) {
        match outcome {
            Some(reviewed) => self.known.put(digest, reviewed, now, time),
            None => self.unknown.put(digest, (), now, time),
        }
    }
}

struct Remembered<T> {
    limit: usize,
    entries: BTreeMap<TokenDigest, (Instant, T)>,
}

impl<T> Remembered<T> {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: BTreeMap::new(),
        }
    }

    fn get(&self, digest: &TokenDigest, now: Instant) -> Option<&T> {
        let (until, value) = self.entries.get(digest)?;
        (now < *until).then_some(value)
    }

    /// When it is full, what has expired goes, then what would expire next.
    fn put(&mut self, digest: TokenDigest, value: T, now: Instant, time: Duration) {
        if time.is_zero() || self.limit == 0 {
            return;
        }
        if self.entries.len() >= self.limit {
            self.entries.retain(|_, (until, _)| now < *until);
        }
        if self.entries.len() >= self.limit {
            let next = self.entries.iter().min_by_key(|(_, (until, _))| *until);
            if let Some(next) = next.map(|(digest, _)| *digest) {
                self.entries.remove(&next);
            }
        }
        self.entries.insert(digest, (now + time, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reviewed() -> Arc<Reviewed> {
        Arc::new(Reviewed {
            user: "a".to_owned(),
            groups: std::collections::BTreeSet::new(),
            node: None,
        })
    }

    #[test]
    fn answers_are_forgotten_in_time() {
        let (mut cache, now) = (Cache::new(9), Instant::now());
        let second = Duration::from_secs(1);
        cache.put([1; 32], Some(reviewed()), now, 10 * second);
        cache.put([2; 32], None, now, 2 * second);
        assert_eq!(cache.get(&[1; 32], now + 9 * second), Some(Some(reviewed())));
        assert_eq!(cache.get(&[1; 32], now + 10 * second), None);
        assert_eq!(cache.get(&[2; 32], now + second), Some(None));
        assert_eq!(cache.get(&[2; 32], now + 2 * second), None);
    }

    #[test]
    fn a_flood_of_wrong_tokens_is_bounded_and_drives_out_no_good_one() {
        let (mut cache, now) = (Cache::new(3), Instant::now());
        let time = Duration::from_secs(10);
        cache.put([0; 32], Some(reviewed()), now, time);
        for wrong in 1..=200_u8 {
            cache.put([wrong; 32], None, now + Duration::from_millis(wrong.into()), time);
        }
        assert_eq!(cache.unknown.entries.len(), 3);
        assert_eq!(cache.get(&[0; 32], now), Some(Some(reviewed())));
        assert_eq!(cache.get(&[200; 32], now), Some(None));
        assert_eq!(cache.get(&[1; 32], now), None);
    }
}

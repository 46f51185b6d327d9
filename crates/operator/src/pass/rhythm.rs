//! When periodic passes come: clusters that share a project at the same moment, projects spread over the interval.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use multinic_sync::Place;
use tokio::time::Instant;

/// The beat that all clusters of an engine keep.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// Somewhere on it. Replicas and restarts have others.
    origin: Instant,
}

impl Rhythm {
    /// From now on.
    pub fn begin() -> Self {
        Self { origin: Instant::now() }
    }

    /// The first moment of this place that is not before `earliest`. From one to the next it is an interval.
    pub fn next(self, place: Option<&Place>, interval: Duration, earliest: Instant) -> Instant {
        let interval = interval.max(Duration::from_millis(1));
        let first = self.origin + interval.mul_f64(phase(place));
        let missed = earliest.saturating_duration_since(first).as_nanos();
        let beats = missed.div_ceil(interval.as_nanos());
        first + interval.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
    }
}

/// From 0.0 to 1.0, the same for the same place.
fn phase(place: Option<&Place>) -> f64 {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    let [low, high, ..] = hasher.finish().to_le_bytes();
    f64::from(u16::from_le_bytes([low, high])) / 65536.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(n: u128) -> Place {
        Place {
            provider: "p".parse().unwrap(),
            project: format!("{n:032x}").parse().unwrap(),
        }
    }

    proptest! {
        #[test]
        fn the_moments_of_a_place_are_an_interval_apart_whoever_asks(
            n in 0..50_u128, interval in 1000..100_000_u64, asked in 0..10_000_000_u64, later in 0..100_000_u64,
        ) {
            let rhythm = Rhythm::begin();
            let (place, interval) = (place(n), Duration::from_millis(interval));
            let earliest = rhythm.origin + Duration::from_millis(asked);
            let at = rhythm.next(Some(&place), interval, earliest);
            // The phase alone may be behind the beginning.
            prop_assert!(at >= earliest && at < earliest + interval * 2);
            let other = rhythm.next(Some(&place), interval, earliest + Duration::from_millis(later));
            let apart = (other - at).as_nanos();
            prop_assert_eq!(apart % interval.as_nanos(), 0);
            prop_assert_eq!(rhythm.next(Some(&place), interval, at + interval / 2), at + interval);
        }
    }

    #[test]
    fn places_are_spread_over_the_interval() {
        let (rhythm, minute) = (Rhythm::begin(), Duration::from_mins(1));
        let moment = |n| rhythm.next(Some(&place(n)), minute, rhythm.origin) - rhythm.origin;
        let mut tens = [0; 6];
        for n in 0..600 {
            tens[usize::try_from(moment(n).as_secs() / 10).unwrap().min(5)] += 1;
        }
        assert!(tens.iter().all(|count| (60..140).contains(count)), "{tens:?}");
    }
}

//! The clock that leadership is counted on.

use std::{fmt::Debug, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// Time since some fixed moment. Never goes back, and goes on while the process is stopped.
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> Duration;
}

/// The machine's clock. On Linux it also counts the time in which the machine slept (CLOCK_BOOTTIME); the clock of
/// [`std::time::Instant`] does not, and a fence measured on it would still be open after a night with the lid closed.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootClock;

#[cfg(target_os = "linux")]
const BOOT: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const BOOT: ClockId = ClockId::Monotonic;

impl Clock for BootClock {
    fn now(&self) -> Duration {
        let now = clock_gettime(BOOT);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(now.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanos)
    }
}

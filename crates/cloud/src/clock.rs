//! The time, so that tests can move it.

use std::{fmt::Debug, time::SystemTime};

use jiff::Timestamp;

/// Says what time it is: token lifetimes and the memory of rejected passwords are counted on it.
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

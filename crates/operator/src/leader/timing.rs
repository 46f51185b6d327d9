//! How long a lease lasts, and how often it is renewed.

use std::time::Duration;

/// The three lengths of leader election. What is checked here is what keeps two replicas from writing at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    lease: Duration,
    renew_deadline: Duration,
    retry: Duration,
}

/// The longest lease, ours or a foreign one: nobody waits longer for a dead leader.
pub const MAX_LEASE: Duration = Duration::from_mins(10);

/// Why lengths do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to accept the lease's times: expected retry ({retry:?}) < renew deadline ({renew_deadline:?}) < lease duration ({lease:?}) <= {MAX_LEASE:?}, the last in whole seconds"
)]
pub struct TimingError {
    /// How long others wait.
    pub lease: Duration,
    /// How long the leader goes on without a renewal.
    pub renew_deadline: Duration,
    /// Between two attempts.
    pub retry: Duration,
}

impl Default for Timing {
    /// 15 s, 10 s and 2 s, as the controllers of Kubernetes itself have them.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

impl Timing {
    /// Checks that the leader stops before another may begin, and tries more than once before it stops.
    pub fn new(lease: Duration, renew_deadline: Duration, retry: Duration) -> Result<Self, TimingError> {
        let whole_seconds = lease.subsec_nanos() == 0;
        if whole_seconds && !retry.is_zero() && retry < renew_deadline && renew_deadline < lease && lease <= MAX_LEASE {
            Ok(Self {
                lease,
                renew_deadline,
                retry,
            })
        } else {
            Err(TimingError {
                lease,
                renew_deadline,
                retry,
            })
        }
    }

    /// How long a lease holds without being renewed, as others see it.
    pub const fn lease(&self) -> Duration {
        self.lease
    }

    /// How long the holder may write after it began its last successful renewal.
    pub const fn renew_deadline(&self) -> Duration {
        self.renew_deadline
    }

    /// Between two attempts.
    pub const fn retry(&self) -> Duration {
        self.retry
    }

    /// How long one request may take: two must fit before the deadline.
    pub fn request(&self) -> Duration {
        self.renew_deadline / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_must_stop_before_another_may_begin() {
        let seconds = Duration::from_secs;
        assert!(Timing::new(seconds(15), seconds(10), seconds(2)).is_ok());
        for (lease, deadline, retry) in [(10, 10, 2), (15, 2, 2), (15, 10, 0), (601, 10, 2)] {
            assert!(Timing::new(seconds(lease), seconds(deadline), seconds(retry)).is_err());
        }
        assert!(Timing::new(Duration::from_millis(1500), seconds(1), Duration::from_millis(200)).is_err());
    }
}

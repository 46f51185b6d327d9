//! Whether the engine is alive.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The engine's sign of life. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    last: Arc<Mutex<Option<Instant>>>,
}

/// An engine that shows no sign of life for this long is stuck.
pub const STUCK_AFTER: Duration = Duration::from_mins(2);

impl Heartbeat {
    /// "I am running." An engine says so at least every ten seconds, also when it has nothing to do.
    pub fn beat(&self) {
        self.set(Some(Instant::now()));
    }

    /// "I have stopped, as I should."
    pub fn stop(&self) {
        self.set(None);
    }

    /// Whether an engine runs and has been silent for too long.
    pub fn is_stuck(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() > STUCK_AFTER)
    }

    fn set(&self, last: Option<Instant>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_an_engine_that_runs_and_is_silent_is_stuck() {
        let heartbeat = Heartbeat::default();
        tokio::time::advance(STUCK_AFTER * 2).await;
        assert!(!heartbeat.is_stuck(), "it never ran");
        heartbeat.beat();
        tokio::time::advance(STUCK_AFTER).await;
        assert!(!heartbeat.is_stuck());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(heartbeat.is_stuck());
        heartbeat.beat();
        assert!(!heartbeat.is_stuck());
        tokio::time::advance(STUCK_AFTER * 2).await;
        heartbeat.stop();
        assert!(!heartbeat.is_stuck(), "it has stopped");
    }
}

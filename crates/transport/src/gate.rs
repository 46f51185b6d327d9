//! Whether writing is allowed at this moment.
//!
//! Several processes may stand ready to write, of which one leads. A process that was paused does not notice that
//! another one leads by now, so the right to write is asked for whenever a request goes on, not once.

/// The right to write. Implementations answer from memory, at once.
pub trait Gate: Send + Sync {
    /// Whether a request that changes something may be sent now.
    fn is_open(&self) -> bool;
}

/// For a process that has nobody beside it, such as the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AlwaysOpen;

impl Gate for AlwaysOpen {
    fn is_open(&self) -> bool {
        true
    }
}

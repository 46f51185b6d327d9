//! Which replica leads: one Lease, one fence.
//!
//! [`Elector`] takes and holds the Lease; [`Fence`] says at each write whether we still may. `contender` decides, and is
//! tested against random interleavings of pauses and lost messages; `lease` is its wire, `clock` what it counts on. [`Terms`] runs the work of each
//! term.

mod clock;
mod contender;
mod elector;
mod fence;
mod lease;
#[cfg(test)]
mod simulation;
mod terms;
mod timing;

pub use clock::{BootClock, Clock};
pub use elector::{Election, Elector, Lost};
pub use fence::Fence;
pub use terms::{Leadership, TermError, Terms};
pub use timing::{Timing, TimingError};

//! Which replica leads: one Lease, one fence.

mod clock;
mod fence;

pub use clock::{BootClock, Clock};
pub use fence::Fence;

//! How somebody who waits can follow a pass.

use std::time::Duration;

/// Told of each step as it begins.
pub trait Observer: Send + Sync {
    /// A step begins, or makes visible progress.
    fn step(&self, step: Step);
}

/// The steps of a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Contrabass is asked.
    Resolving {
        /// How many entries are read.
        providers: usize,
    },
    /// OpenStack and the management API are read.
    Reading {
        /// How many projects.
        projects: usize,
    },
    /// The plan is made.
    Planning,
    /// A removal was seen; the second reading follows after a pause.
    Confirming {
        /// How long it is.
        pause: Duration,
    },
    /// Node configs are sent.
    Delivering {
        /// How many.
        nodes: usize,
    },
}

/// Nobody waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn step(&self, _: Step) {}
}

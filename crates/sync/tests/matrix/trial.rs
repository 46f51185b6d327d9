//! The words of the matrix: a request, a fault there, and what must become of the pass.

use multinic_lab::{Fault, Service};

/// One request of a pass: the `nth` of that method and path.
#[derive(Clone, Debug)]
pub struct Target {
    pub service: Service,
    pub method: String,
    pub path: String,
    pub nth: u64,
    /// It asks for a further page.
    pub further: bool,
    /// How long the right answer is.
    pub bytes: usize,
}

/// What must become of the pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It succeeds all the same.
    Heals,
    /// It says that it failed.
    Fails,
    /// One or the other, as long as it is right and honest.
    Either,
    /// The answer is well-formed and wrong: the pass may believe it, but takes nothing away and invents nothing.
    Lied,
    /// One node of the read-back cannot be understood: it stays as it is, is named, and the others go on.
    Frozen,
    /// A read-back that says that there is none: believed (and said) by a first reading, or a failure.
    NoReadBack,
}

#[derive(Clone, Debug)]
pub struct Trial {
    pub name: String,
    pub fault: Fault,
    pub once: Verdict,
    pub always: Verdict,
    /// The time-out of every request.
    pub timeout: &'static str,
}

/// Few enough to be tried at each request of both readings: one of each kind.
const REPRESENTATIVE: [&str; 19] = [
    "503",
    "429 with Retry-After 0",
    "401",
    "403",
    "404",
    "an expired token",
    "a reset",
    "a lost answer",
    "a body cut at half",
    "silence",
    "the body {}",
    "an empty body",
    "no device_id",
    "no mac_address",
    "an empty list",
    "one item missing",
    "pages in a circle",
    "an item twice",
    "a result missing",
];

impl Trial {
    pub fn is_representative(&self) -> bool {
        REPRESENTATIVE.contains(&self.name.as_str())
    }

    /// A failure at once is the same failure however often it would come.
    pub fn is_repeated(&self) -> bool {
        self.once != Verdict::Fails
    }
}

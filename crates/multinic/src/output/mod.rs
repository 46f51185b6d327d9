//! What people and pipes read: results on standard output, everything else on standard error.

pub mod columns;
pub mod conclude;
pub mod findings;
pub mod items;
pub mod json;
pub mod table;

use std::io::{self, Write};

use crate::failure::Failure;

/// A line on standard error. If even that is closed, there is nobody to tell.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Results on standard output. A reader that went away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    offer(text).map(|_| ())
}

/// Whether somebody reads on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// As far as can be told.
    Reads,
    /// The pipe is closed: what comes now is for nobody.
    Gone,
}

/// Like [`print`], for those who could go on for long.
pub fn offer(text: &str) -> Result<Audience, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Audience::Reads),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Audience::Gone),
        Err(error) => Err(Failure::failed(error)),
    }
}

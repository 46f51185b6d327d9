//! What people and pipes read: results on standard output, everything else on standard error.

pub mod conclude;
pub mod findings;
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
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        _ => Ok(()),
    }
}

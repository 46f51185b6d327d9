//! Errors as people see them: one line with what, where and what to do; `-v` adds the chain.

use std::{error::Error, process::ExitCode};

use crate::output::say;

/// The exit codes of the design.
pub const FAILED: u8 = 1;
/// Bad usage or bad input.
pub const BAD_INPUT: u8 = 2;
/// Done, with findings.
pub const FINDINGS: u8 = 3;

/// Why a command cannot go on.
pub struct Failure {
    code: u8,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

impl Failure {
    /// Something outside the user's input failed.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code: FAILED,
            error: error.into(),
            hint: None,
        }
    }

    /// What the user gave cannot be used.
    pub fn bad_input(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code: BAD_INPUT,
            error: error.into(),
            hint: None,
        }
    }

    /// Adds what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it and gives the exit code.
    pub fn tell(&self, verbose: u8) -> ExitCode {
        tell(None, self.error.as_ref(), self.hint.as_deref(), verbose);
        ExitCode::from(self.code)
    }
}

/// One line for an error; with `-v` each cause on a line of its own.
pub fn tell(place: Option<&str>, error: &(dyn Error + 'static), hint: Option<&str>, verbose: u8) {
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    say(&format!("error: {place}{}{hint}", one_line(error)));
    tell_causes(error, verbose);
}

/// With `-v`, each cause on a line of its own.
pub fn tell_causes(error: &(dyn Error + 'static), verbose: u8) {
    if verbose > 0 {
        causes(error).for_each(|cause| say(&format!("  caused by: {cause}")));
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// The first two messages say what and where, the last one why.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut messages: Vec<String> = vec![error.to_string()];
    messages.extend(causes(error).map(ToString::to_string));
    let last = messages.len() - 1;
    let mut line = String::new();
    for (index, message) in messages.iter().enumerate() {
        if (index > 1 && index < last) || line.contains(message.as_str()) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&message.replace('\n', " "));
    }
    line
}

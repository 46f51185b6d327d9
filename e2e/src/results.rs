//! What the checks found, printed as it comes.

use crate::Failure;

/// Counts and figures of one run.
#[derive(Default)]
pub struct Results {
    passed: usize,
    failed: usize,
    figures: Vec<String>,
}

impl Results {
    /// Notes one check and prints its line.
    pub fn record(&mut self, name: &str, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("ok      {name}");
            }
            Err(error) => {
                self.failed += 1;
                println!(
                    "FAILED  {name}\n        {}",
                    error.to_string().replace('\n', "\n        ")
                );
            }
        }
    }

    /// A measured value; printed at the end, never judged.
    pub fn figure(&mut self, what: &str, value: impl std::fmt::Display) {
        self.figures.push(format!("{what}: {value}"));
    }

    /// The figures, then the closing line.
    pub fn print_summary(&self) {
        for figure in &self.figures {
            println!("figure  {figure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
    }

    /// Whether every check held, and there was one.
    pub fn all_ok(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

/// Fails with both values unless they are equal.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}\n  expected {expected:?}\n  found    {found:?}").into())
}

/// Fails unless `text` contains every part.
pub fn contains(what: &str, text: &str, parts: &[&str]) -> Result<(), Failure> {
    match parts.iter().find(|part| !text.contains(**part)) {
        None => Ok(()),
        Some(part) => Err(format!("{what}: no {part:?} in\n{text}").into()),
    }
}

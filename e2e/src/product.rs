//! The real `multinic` binary, run as a user would run it.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::Failure;

/// What one run said.
pub struct Run {
    /// The exit code, or -1 after a signal.
    pub code: i32,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
    /// Wall time.
    pub took: Duration,
}

impl Run {
    /// Fails unless the exit code is the expected one.
    pub fn exits(&self, expected: i32) -> Result<&Self, Failure> {
        if self.code == expected {
            return Ok(self);
        }
        Err(format!(
            "exit code {}, expected {expected}\nstdout: {}\nstderr: {}",
            self.code, self.stdout, self.stderr
        )
        .into())
    }

    /// stdout as JSON.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_str(&self.stdout)
            .map_err(|error| format!("stdout is not JSON: {error}\n{}", self.stdout).into())
    }
}

/// The binary that was built beside this program.
pub fn binary() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name("multinic");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: cargo build -p multinic", path.display()).into())
    }
}

/// Runs it in the folder that holds the CR files and settings.
pub fn run(binary: &Path, folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Result<Run, Failure> {
    let began = Instant::now();
    let mut command = Command::new(binary);
    let output = command
        .args(args)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .envs(environment.iter().copied())
        .output()?;
    Ok(Run {
        code: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: began.elapsed(),
    })
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

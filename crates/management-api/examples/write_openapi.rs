//! Writes the contract as `make generate` commits it: `write_openapi docs/openapi.json`.
#![allow(clippy::print_stderr, reason = "a program of the build")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: write_openapi FILE");
        return ExitCode::from(2);
    };
    let document = multinic_management_api::http::openapi();
    let written = document.to_pretty_json().map_err(|error| error.to_string());
    match written.and_then(|text| std::fs::write(&path, format!("{text}\n")).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

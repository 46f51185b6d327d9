//! `multinic completions SHELL`.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{
    cli::{Cli, CompletionsArgs},
    failure::Failure,
    output::print,
};

/// Prints the completions.
pub fn run(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "multinic", &mut script);
    print(&String::from_utf8(script).map_err(Failure::failed)?)?;
    Ok(ExitCode::SUCCESS)
}

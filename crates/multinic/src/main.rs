//! The `multinic` command: parses its arguments and hands over to one file per subcommand.

mod cli;
mod commands;
mod failure;
mod input;
mod logging;
mod output;
mod progress;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match &cli.command {
        Command::Operator(_) => {}
        Command::Api(_) => logging::init(cli.verbose.saturating_add(2), cli.log_format),
        _ => logging::init(cli.verbose, cli.log_format),
    }
    let ended = match cli.command {
        Command::Plan(args) => commands::plan::run(&args, cli.verbose).await,
        Command::Sync(args) => commands::sync::run(&args, cli.verbose).await,
        Command::Doctor(args) => commands::doctor::run(&args, cli.verbose).await,
        Command::Operator(args) => commands::operator::run(args, cli.verbose, cli.log_format).await,
        Command::Api(args) => commands::api::run(args).await,
        Command::Get(args) => commands::get::run(&args).await,
        Command::Crd(args) => commands::crd::run(&args),
        Command::Demo(args) => commands::demo::run(&args).await,
        Command::Completions(args) => commands::completions::run(&args),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => failure.tell(cli.verbose),
    }
}

//! `multinic plan`: what would be sent.

use std::process::ExitCode;

use multinic_sync::once::plan_once;

use crate::{cli::PlanArgs, failure::Failure, input, output::conclude::conclude, progress::Progress};

/// Reads, plans and prints; sends nothing.
pub async fn run(args: &PlanArgs, verbose: u8) -> Result<ExitCode, Failure> {
    let input = input::load(&args.pass.input)?;
    let (connections, pruning) = (&input.connections, args.pass.pruning());
    let progress = Progress::start();
    let planned = plan_once(connections, &input.settings, input.configs, pruning, &progress).await;
    drop(progress);
    conclude(&planned.report(), connections.requests(), &args.pass, args.all, verbose)
}

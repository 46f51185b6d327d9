//! `multinic sync`: one full pass, delivered.

use std::process::ExitCode;

use multinic_sync::once::sync_once;

use crate::{cli::SyncArgs, failure::Failure, input, output::conclude::conclude, progress::Progress};

/// Reads, plans, delivers and prints what was sent.
pub async fn run(args: &SyncArgs, verbose: u8) -> Result<ExitCode, Failure> {
    let input = input::load(&args.pass.input)?;
    input::require_management_api(&args.pass.input, &input)?;
    let (connections, pruning) = (&input.connections, args.pass.pruning());
    let progress = Progress::start();
    let report = sync_once(connections, &input.settings, input.configs, pruning, &progress).await;
    drop(progress);
    conclude(&report, connections.requests(), &args.pass, false, verbose)
}

//! `multinic sync`: one full pass, delivered.

use std::process::ExitCode;

use multinic_sync::once::sync_once;

use crate::{
    cli::{OutputFormat, SyncArgs},
    commands::plan::pruning,
    failure::Failure,
    input,
    output::{findings, json, print, table},
    progress::Progress,
};

/// Reads, plans, delivers and prints what was sent.
pub async fn run(args: &SyncArgs, verbose: u8) -> Result<ExitCode, Failure> {
    let pass = &args.pass;
    let input = input::load(&pass.input)?;
    input::require_management_api(&pass.input, &input)?;
    let progress = Progress::start();
    let report = sync_once(
        &input.connections,
        &input.settings,
        input.configs,
        pruning(pass),
        &progress,
    )
    .await;
    drop(progress);
    print(&match pass.output {
        OutputFormat::Table => table::render(&report, false),
        format => json::render(&report, false, format)?,
    })?;
    findings::tell_all(&report, verbose);
    if verbose > 0 {
        findings::tell_requests(input.connections.requests());
    }
    Ok(findings::exit_code(&report, pass.strict))
}

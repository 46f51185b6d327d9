//! `multinic plan`: what would be sent.

use std::process::ExitCode;

use multinic_sync::once::{Pruning, plan_once};

use crate::{
    cli::{OutputFormat, PassArgs, PlanArgs},
    failure::Failure,
    input,
    output::{findings, json, print, table},
    progress::Progress,
};

/// Reads, plans and prints; sends nothing.
pub async fn run(args: &PlanArgs, verbose: u8) -> Result<ExitCode, Failure> {
    let pass = &args.pass;
    let input = input::load(&pass.input)?;
    let progress = Progress::start();
    let planned = plan_once(
        &input.connections,
        &input.settings,
        input.configs,
        pruning(pass),
        &progress,
    )
    .await;
    drop(progress);
    let report = planned.report();
    print(&match pass.output {
        OutputFormat::Table => table::render(&report, args.all),
        format => json::render(&report, args.all, format)?,
    })?;
    findings::tell_all(&report, verbose);
    if verbose > 0 {
        findings::tell_requests(input.connections.requests());
    }
    Ok(findings::exit_code(&report, pass.strict))
}

/// What the flags say about removals.
pub fn pruning(args: &PassArgs) -> Pruning {
    Pruning {
        prune: args.prune,
        allow_mass_removal: args.allow_mass_removal,
    }
}

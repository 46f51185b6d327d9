//! The end of a pass as `plan` and `sync` show it: the result, the findings, the exit code.

use std::process::ExitCode;

use multinic_sync::{Report, Requests};

use super::{findings, json, print, table};
use crate::{
    cli::{OutputFormat, PassArgs},
    failure::Failure,
};

/// Prints everything about a pass. `all` shows nodes that are as they should be, too.
pub fn conclude(
    report: &Report,
    requests: Requests,
    args: &PassArgs,
    all: bool,
    verbose: u8,
) -> Result<ExitCode, Failure> {
    print(&match args.output {
        OutputFormat::Table => table::render(report, all),
        format => json::render(report, all, format)?,
    })?;
    findings::tell_all(report, verbose);
    if verbose > 0 {
        findings::tell_requests(requests);
    }
    Ok(findings::exit_code(report, args.strict))
}

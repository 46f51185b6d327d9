//! Findings and failures of a pass, on standard error, and the exit code they lead to.

use std::{error::Error, process::ExitCode};

use multinic_planner::{Finding, Severity};
use multinic_sync::{Failure, Outcome, Report, Requests};

use crate::{
    failure::{FAILED, FINDINGS, tell},
    output::say,
};

/// Prints every finding and failure.
pub fn tell_all(report: &Report, verbose: u8) {
    for entry in report.clusters.values() {
        entry.plan.findings.iter().for_each(|finding| say(&line(finding)));
    }
    for failure in &report.failures {
        match failure {
            Failure::Place { place, error } => {
                tell(
                    Some(&place.to_string()),
                    error.as_ref() as &(dyn Error + 'static),
                    error.hint().as_deref(),
                    verbose,
                );
            }
            Failure::ReadBack { cluster, error } => {
                tell(
                    Some(&format!("cluster {cluster}")),
                    error.as_ref(),
                    Some(error.hint()),
                    verbose,
                );
            }
        }
    }
    for (cluster, node, reason) in report.undelivered() {
        say(&format!(
            "error: cluster {cluster}: node {node} was not delivered: {reason}"
        ));
    }
}

fn line(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let configs: Vec<String> = finding.configs.iter().map(ToString::to_string).collect();
    let of = if configs.is_empty() {
        String::new()
    } else {
        format!(" [{}]", configs.join(", "))
    };
    format!(
        "{severity}: {}: {}: {}{of}",
        finding.reason, finding.subject, finding.message
    )
}

/// The exit code of a pass.
pub fn exit_code(report: &Report, strict: bool) -> ExitCode {
    match report.outcome() {
        Outcome::Failed => ExitCode::from(FAILED),
        Outcome::Errors => ExitCode::from(FINDINGS),
        Outcome::Warnings if strict => ExitCode::from(FINDINGS),
        Outcome::Warnings | Outcome::Done => ExitCode::SUCCESS,
    }
}

/// The summary that `-v` adds.
pub fn tell_requests(requests: Requests) {
    let Requests {
        contrabass,
        openstack,
        management_api,
    } = requests;
    say(&format!(
        "requests: {contrabass} to Contrabass, {openstack} to OpenStack, {management_api} to the management API"
    ));
}

//! `multinic doctor`: each hop in turn.

use std::{error::Error, process::ExitCode};

use multinic_model::Selection;
use multinic_sync::{
    Config,
    doctor::{Check, Found, examine},
};

use crate::{
    cli::DoctorArgs,
    failure::{FAILED, FINDINGS, Failure, one_line, tell_causes},
    input,
    output::{print, say},
};

/// Prints a line per hop as soon as it is known; 1 if a hop is broken, 3 if there are findings.
pub async fn run(args: &DoctorArgs, verbose: u8) -> Result<ExitCode, Failure> {
    let input = input::load(&args.input)?;
    let selections: Vec<Selection> = input.configs.into_iter().filter_map(present).collect();
    let (mut broken, mut findings, mut lost) = (false, false, None);
    let mut tell = |check: Check| {
        broken |= matches!(check.found, Found::Broken { .. });
        findings |= matches!(check.found, Found::Finding(_) | Found::Impaired { .. });
        if let Err(failure) = print(&line(&check)) {
            lost = Some(failure);
        }
        if let Found::Broken { error, hint } | Found::Impaired { error, hint } = &check.found {
            if let Some(hint) = hint {
                say(&format!("        what to do: {hint}"));
            }
            tell_causes(error.as_ref() as &(dyn Error + 'static), verbose);
        }
    };
    examine(&input.connections, &selections, &mut tell).await;
    match lost {
        Some(failure) => Err(failure),
        None if broken => Ok(ExitCode::from(FAILED)),
        None if findings => Ok(ExitCode::from(FINDINGS)),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn present(config: Config) -> Option<Selection> {
    match config {
        Config::Present { selection, .. } => Some(selection),
        Config::Held { .. } | Config::Departed { .. } => None,
    }
}

fn line(check: &Check) -> String {
    let Check { hop, subject, found } = check;
    let hop = hop.to_string();
    match found {
        Found::Fine(what) => format!("ok      {hop:<15} {subject}: {what}\n"),
        Found::Finding(what) => format!("look    {hop:<15} {subject}: {what}\n"),
        Found::Impaired { error, .. } => format!("look    {hop:<15} {subject}: {}\n", one_line(error.as_ref())),
        Found::Broken { error, .. } => format!("FAILED  {hop:<15} {subject}: {}\n", one_line(error.as_ref())),
    }
}

//! `multinic crd [KIND]`.

use std::process::ExitCode;

use multinic_model::crds::Crd;

use crate::{
    cli::{CrdArgs, CrdKind},
    failure::Failure,
    output::print,
};

/// Prints one CRD, or both as two documents.
pub fn run(args: &CrdArgs) -> Result<ExitCode, Failure> {
    let wanted = match args.kind {
        Some(CrdKind::OpenstackConfig) => vec![Crd::OpenstackConfig],
        Some(CrdKind::MultiNicNodeConfig) => vec![Crd::MultiNicNodeConfig],
        None => Crd::ALL.to_vec(),
    };
    let documents = wanted
        .into_iter()
        .map(Crd::yaml)
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::failed)?;
    print(&documents.join("---\n"))?;
    Ok(ExitCode::SUCCESS)
}

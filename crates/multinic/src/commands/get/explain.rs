//! What to do about an error of the management API.

use multinic_api_client::{EndpointError, Problem, ReadError, SendErrorKind};

use crate::failure::Failure;

/// The error with what to do; what the user gave decides the exit code.
pub fn explain(error: ReadError) -> Failure {
    let hint = hint(&error);
    let is_input = match &error {
        ReadError::Settings(_) => true,
        ReadError::Refused { problem, .. } => problem.name.as_deref() == Some("bad-request"),
        _ => false,
    };
    let failure = if is_input {
        Failure::bad_input(error)
    } else {
        Failure::failed(error)
    };
    failure.hint(hint)
}

fn hint(error: &ReadError) -> &'static str {
    match error {
        ReadError::Settings(EndpointError::Token) => "check the file of --token-file, or MULTINIC_TOKEN",
        ReadError::Settings(EndpointError::ReadCaFile { .. } | EndpointError::ParseCaFile { .. }) => "check --ca-file",
        ReadError::Settings(_) => "check --server",
        ReadError::Unreachable { source, .. } => match source.kind {
            SendErrorKind::Connect => "check --server, and that the management API runs there",
            SendErrorKind::Tls => "check http/https in --server; give the server's CA with --ca-file",
            _ => source.hint(),
        },
        ReadError::Refused { problem, .. } => refused(problem),
        ReadError::Redirected { .. } => "set --server to the address that it redirects to",
        ReadError::Answer { .. } | ReadError::Pages { .. } => "check that --server is a management API of this version",
    }
}

/// The names are the server's lasting ones; `docs/management-api.md` explains each.
fn refused(problem: &Problem) -> &'static str {
    match (problem.name.as_deref(), problem.status) {
        (Some("unauthorized"), _) | (None, 401) => "give a token that the server knows: --token-file or MULTINIC_TOKEN",
        (Some("forbidden"), _) => "use a token whose role, providers and nodes include this",
        (Some("unknown-provider"), _) => "check --provider; `multinic get providers` lists the clusters",
        (Some("not-found"), _) => "check the name and --provider; `multinic get nodes` lists the nodes",
        (Some("bad-request"), _) => "correct what it names",
        (None, 404 | 405 | 501) => "check --server: the management API is not served below it",
        (_, 408 | 429 | 500..) => "try again; if it stays, see the server's log and /readyz",
        _ => "see what the server says",
    }
}

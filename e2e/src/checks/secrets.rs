//! No secret in anything that any run has printed, at any verbosity (rule 9).

use crate::{
    Failure, broker,
    expected::{Nic, WORKER_2},
    results::{Results, same},
    seal::PASSPHRASE,
    world::{BEARER, REFUSED_PROVIDER, Subnet, WRONG_PASSWORD, World},
};

/// What every Fernet token begins with: a token cut short is one too.
const TOKEN_BEGINS: &str = "gAAAAA";

/// See the module. Last of all, because it looks at everything before.
pub fn run(world: &World, results: &mut Results) {
    results.record("the loudest runs", loudest(world));
    results.record(
        "no password, key, token or bearer token in any output",
        nothing_leaked(world),
    );
}

fn loudest(world: &World) -> Result<(), Failure> {
    let subnet = Subnet::Key(Nic::Data.subnet());
    let good = [world.config("e2e-loud", subnet, &[WORKER_2.server])?];
    let refused = [world.config_at((REFUSED_PROVIDER, "biz"), "e2e-loud", subnet, &[WORKER_2.server])?];
    let everything = [("E2E_KEY", PASSPHRASE), ("RUST_LOG", "trace")];
    let wrong_key = [("E2E_KEY", "e2e-envelope-passphrase-of-another"), ("RUST_LOG", "trace")];
    for command in ["sync", "plan", "doctor"] {
        world
            .run_with(&[command, "-vvvv"], &world.settings(), &good, &everything)?
            .exits(0)?;
        world
            .run_with(&[command, "-vvvv"], &world.settings(), &refused, &everything)?
            .exits(1)?;
        world
            .run_with(&[command, "-vvvv"], &world.settings(), &good, &wrong_key)?
            .exits(1)?;
    }
    Ok(())
}

fn nothing_leaked(world: &World) -> Result<(), Failure> {
    let said = world.said();
    let tokens = world.tokens();
    same(
        "tokens seen, and lines of trace",
        &(tokens.is_empty(), said.contains("TRACE")),
        &(false, true),
    )?;
    let fixed = [
        world.password.as_str(),
        PASSPHRASE,
        WRONG_PASSWORD,
        BEARER,
        broker::PASSWORD,
        TOKEN_BEGINS,
    ];
    let secrets = fixed.into_iter().chain(tokens.iter().map(String::as_str));
    let leaks: Vec<String> = secrets.filter_map(|secret| line_with(&said, secret)).collect();
    if leaks.is_empty() {
        Ok(())
    } else {
        Err(leaks.join("\n").into())
    }
}

/// The first line that contains it, cut to what is readable.
fn line_with(said: &str, secret: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains(secret))?;
    Some(line.chars().take(300).collect())
}

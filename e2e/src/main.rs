//! `make e2e`: the real `multinic` binary against a real OpenStack.
//!
//! Keystone, Nova and Neutron are Debian's own; Contrabass is the lab crate's stand-in, and so is the management API but in
//! the group `api`, which has the real one on a real PostgreSQL. Each
//! check prints one line, `ok …` or `FAILED …`; the exit code is 0 only if all are ok. Not a test of `make test`: it
//! needs root and a few minutes. Arguments name groups of checks (the modules of `checks`); without any, all are made.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the printed lines are the result"
)]

mod api;
mod broker;
mod checks;
mod distribution;
mod expected;
mod openstack;
mod operator;
mod product;
mod proxy;
mod results;
mod seal;
mod stand_ins;
mod world;

use std::process::ExitCode;

use crate::{results::Results, world::World};

/// What a check says when it does not hold, or when it could not be made.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let mut results = Results::default();
    match World::new().await {
        Ok(world) => checks::run(&world, &mut results, &only).await,
        Err(error) => results.record("the stage is set", Err(error)),
    }
    results.print_summary();
    if results.all_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

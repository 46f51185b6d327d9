//! Passwords that are refused and keys that do not fit.

use crate::{
    Failure,
    expected::{Nic, WORKER_2},
    results::{Results, contains, same},
    seal::PASSPHRASE,
    world::{PROVIDER, REFUSED_PROVIDER, Subnet, World},
};

const CLUSTER: &str = "e2e-credentials";

/// See the module.
pub fn run(world: &World, results: &mut Results) {
    results.record(
        "a wrong password: one attempt, a clear error, nothing sent",
        wrong_password(world),
    );
    results.record(
        "a wrong password for six projects: three attempts at most",
        six_projects(world),
    );
    results.record(
        "a wrong envelope key: no attempt at all, nothing sent",
        wrong_key(world),
    );
}

fn config(world: &World, provider: &str, project: &str) -> Result<String, Failure> {
    world.config_at(
        (provider, project),
        CLUSTER,
        Subnet::Key(Nic::Mgmt.subnet()),
        &[WORKER_2.server],
    )
}

fn attempts(world: &World) -> usize {
    world
        .keystone
        .requests()
        .iter()
        .filter(|request| request.starts_with("POST /v3/auth/tokens"))
        .count()
}

fn wrong_password(world: &World) -> Result<(), Failure> {
    let configs = [config(world, REFUSED_PROVIDER, "biz")?];
    world.forget_requests();
    let run = world.run(&["sync"], &world.settings(), &configs)?;
    contains(
        "stderr",
        &run.exits(1)?.stderr,
        &["error: ", "password", &world.keystone.url("")],
    )?;
    same("attempts that reached Keystone", &attempts(world), &1)?;
    same("POSTs", &world.posts(CLUSTER).len(), &0)
}

/// Keystone's 401 may also mean a project without a role, so one rejection does not close the others; a lock-out does
/// not come before five.
fn six_projects(world: &World) -> Result<(), Failure> {
    let unknown = (1..=4).map(|number| format!("{number:032}"));
    let projects = ["biz".to_owned(), "other".to_owned()].into_iter().chain(unknown);
    let configs = projects
        .map(|project| config(world, REFUSED_PROVIDER, &project))
        .collect::<Result<Vec<_>, _>>()?;
    world.forget_requests();
    world.run(&["sync"], &world.settings(), &configs)?.exits(1)?;
    same(
        "attempts that reached Keystone, three at most",
        &(1..=3).contains(&attempts(world)),
        &true,
    )?;
    same("POSTs", &world.posts(CLUSTER).len(), &0)
}

fn wrong_key(world: &World) -> Result<(), Failure> {
    let configs = [config(world, PROVIDER, "biz")?];
    world.forget_requests();
    let key = format!("{PASSPHRASE}-of-another");
    let run = world.run_with(&["sync"], &world.settings(), &configs, &[("E2E_KEY", &key)])?;
    contains("stderr", &run.exits(1)?.stderr, &["error: ", PROVIDER])?;
    same("requests to OpenStack", &world.requests().len(), &0)?;
    same("POSTs", &world.posts(CLUSTER).len(), &0)
}

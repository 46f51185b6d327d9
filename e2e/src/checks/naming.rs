//! Which VMs a config means and what their nodes are called.

use serde_json::json;

use crate::{
    Failure,
    expected::{MASTER_1, Nic, WORKER_2, WORKER_3, node},
    results::{Results, same},
    world::{Subnet, World},
};

/// See the module.
pub fn run(world: &World, results: &mut Results) {
    results.record(
        "names and UUIDs in vmNames, metadata key: the exact POST, once",
        names_and_uuids(world),
    );
    results.record(
        "without a metadata key the server's name is the node's",
        server_names(world),
    );
    results.record(
        "the catalog's own endpoints give the same plan as overrides",
        catalog(world),
    );
    results.record("doctor finds every hop in order", doctor(world));
    cold_figures(world, results);
}

fn names_and_uuids(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-names";
    let ids = [MASTER_1, WORKER_2, WORKER_3].map(|vm| world.openstack.server_id(vm.server));
    let [master, worker2, worker3] =
        [ids[0].as_ref(), ids[1].as_ref(), ids[2].as_ref()].map(|id| id.copied().unwrap_or_default());
    let vms = [WORKER_2.server, worker3, MASTER_1.server];
    let configs = [world.config(cluster, Subnet::Key("biz-mgmt-v4"), &vms)?];
    let settings = world.settings().with_metadata_key();
    world.run(&["sync"], &settings, &configs)?.exits(0)?;
    let expected = json!([
        node("master-1", master, &[Nic::Mgmt.interface(1, MASTER_1)]),
        node(WORKER_2.server, worker2, &[Nic::Mgmt.interface(1, WORKER_2)]),
        node(WORKER_3.server, worker3, &[Nic::Mgmt.interface(1, WORKER_3)]),
    ]);
    same("the bodies POSTed", &world.posts(cluster), &vec![expected])?;
    world.run(&["sync"], &settings, &configs)?.exits(0)?;
    same("POSTs after a second sync", &world.posts(cluster).len(), &1)
}

fn server_names(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-server-names";
    let configs = [world.config(cluster, Subnet::Key("biz-mgmt-v4"), &[MASTER_1.server])?];
    let plan = world.run(&["plan", "-o", "json"], &world.settings(), &configs)?;
    let master = world.openstack.server_id(MASTER_1.server)?;
    let expected = json!({cluster: [node(MASTER_1.server, master, &[Nic::Mgmt.interface(1, MASTER_1)])]});
    same("the plan", &plan.exits(0)?.json()?, &expected)?;
    same("POSTs by plan", &world.posts(cluster).len(), &0)
}

fn catalog(world: &World) -> Result<(), Failure> {
    let configs = [world.config(
        "e2e-catalog",
        Subnet::Name("biz-data-v4"),
        &[WORKER_2.server, WORKER_3.server],
    )?];
    let overridden = world.run(&["plan", "-o", "json"], &world.settings(), &configs)?;
    let mut settings = world.settings();
    "region: RegionOne".clone_into(&mut settings.openstack);
    let by_catalog = world.run(&["plan", "-o", "json"], &settings, &configs)?;
    same("the plan", &by_catalog.exits(0)?.stdout, &overridden.exits(0)?.stdout)
}

fn doctor(world: &World) -> Result<(), Failure> {
    let configs = [world.config("e2e-doctor", Subnet::Key("biz-mgmt-v4"), &[WORKER_2.server])?];
    world.run(&["doctor"], &world.settings(), &configs)?.exits(0).map(drop)
}

/// Requests and time of one cold plan of three VMs.
fn cold_figures(world: &World, results: &mut Results) {
    let vms = [MASTER_1.server, WORKER_2.server, WORKER_3.server];
    let Ok(config) = world.config("e2e-cold", Subnet::Key("biz-mgmt-v4"), &vms) else {
        return;
    };
    world.forget_requests();
    let Ok(run) = world.run(&["plan", "-o", "json"], &world.settings(), &[config]) else {
        return;
    };
    let requests = world.requests();
    results.figure(
        "plan, 3 VMs, cold: wall time",
        format!("{} ms (unoptimised build)", run.took.as_millis()),
    );
    results.figure("plan, 3 VMs, cold: requests to OpenStack", requests.len());
    for request in requests {
        results.figure("  asked", request);
    }
}

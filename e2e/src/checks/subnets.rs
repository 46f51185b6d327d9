//! Several subnets, address families, MTUs and port statuses.

use serde_json::{Value, json};

use crate::{
    Failure,
    expected::{self, MASTER_1, Nic, Vm, WORKER_2, WORKER_3, node},
    results::{Results, contains, same},
    world::{Subnet, World},
};

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    results.record(
        "two configs on one VM: their union, whatever their order",
        union(world).await,
    );
    results.record("MTUs 1450, 1500 and 9000", mtus(world).await);
    results.record("dual stack: IPv4 config, IPv6 config, both", dual_stack(world).await);
    results.record("DOWN and ACTIVE ports are both taken up", statuses(world).await);
    results.record(
        "portStatuses [ACTIVE]: a DOWN port is a finding, not an interface",
        active_only(world),
    );
}

/// The plan of one VM for one config per subnet.
fn plan(world: &World, cluster: &str, vm: Vm, nics: &[Nic]) -> Result<Value, Failure> {
    let configs: Vec<String> = nics
        .iter()
        .map(|nic| world.config(cluster, Subnet::Key(nic.subnet()), &[vm.server]))
        .collect::<Result<_, _>>()?;
    world
        .run(&["plan", "-o", "json"], &world.settings(), &configs)?
        .exits(0)?
        .json()
}

async fn holds(world: &World, cluster: &str, vm: Vm, nics: &[Nic]) -> Result<(), Failure> {
    let interfaces = expected::first_delivery(&world.openstack, vm, nics).await?;
    let wanted = json!({cluster: [node(vm.server, world.openstack.server_id(vm.server)?, &interfaces)]});
    same("the plan", &plan(world, cluster, vm, nics)?, &wanted)
}

async fn union(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-union";
    let both = [Nic::Mgmt, Nic::StorageA];
    holds(world, cluster, WORKER_2, &both).await?;
    let turned = [Nic::StorageA, Nic::Mgmt];
    same(
        "the plan of the files in turned order",
        &plan(world, cluster, WORKER_2, &turned)?,
        &plan(world, cluster, WORKER_2, &both)?,
    )?;
    let configs = [
        world.config(cluster, Subnet::Key("biz-mgmt-v4"), &[WORKER_2.server])?,
        world.config(cluster, Subnet::Key("biz-storage-a"), &[WORKER_2.server])?,
    ];
    world.run(&["sync"], &world.settings(), &configs)?.exits(0)?;
    let interfaces = expected::first_delivery(&world.openstack, WORKER_2, &both).await?;
    let body = json!([node(
        WORKER_2.server,
        world.openstack.server_id(WORKER_2.server)?,
        &interfaces
    )]);
    same("the bodies POSTed", &world.posts(cluster), &vec![body])
}

async fn mtus(world: &World) -> Result<(), Failure> {
    holds(world, "e2e-mtus", MASTER_1, &[Nic::Mgmt, Nic::Data, Nic::StorageA]).await
}

async fn dual_stack(world: &World) -> Result<(), Failure> {
    holds(world, "e2e-v4", WORKER_2, &[Nic::Data]).await?;
    holds(world, "e2e-v6", WORKER_2, &[Nic::DataV6]).await?;
    both_families(world)
}

/// An interface is a port and carries one address: the IPv4 one, and a finding names the other.
fn both_families(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-dual";
    let configs = [
        world.config(cluster, Subnet::Key("biz-data-v6"), &[WORKER_2.server])?,
        world.config(cluster, Subnet::Key("biz-data-v4"), &[WORKER_2.server])?,
    ];
    let run = world.run(&["plan", "-o", "json"], &world.settings(), &configs)?;
    contains(
        "stderr",
        &run.exits(0)?.stderr,
        &["SeveralAddresses", "fd00:20::f816:3eff:feb1:202"],
    )?;
    let id = world.openstack.server_id(WORKER_2.server)?;
    same(
        "the plan",
        &run.json()?,
        &json!({cluster: [node(WORKER_2.server, id, &[Nic::Data.interface(1, WORKER_2)])]}),
    )
}

async fn statuses(world: &World) -> Result<(), Failure> {
    for (port, status) in [("worker-3-mgmt", "ACTIVE"), ("worker-3-storage-b", "DOWN")] {
        same(
            port,
            &world.openstack.port(port).await?["status"].as_str(),
            &Some(status),
        )?;
    }
    holds(world, "e2e-statuses", WORKER_3, &[Nic::Mgmt, Nic::StorageB]).await
}

fn active_only(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-active-only";
    let configs = [
        world.config(cluster, Subnet::Key("biz-mgmt-v4"), &[WORKER_3.server])?,
        world.config(cluster, Subnet::Key("biz-storage-b"), &[WORKER_3.server])?,
    ];
    let run = world.run(
        &["plan", "-o", "json"],
        &world.settings().with("portStatuses: [ACTIVE]"),
        &configs,
    )?;
    contains("stderr", &run.stderr, &["PortStatusNotAllowed", "DOWN"])?;
    let id = world.openstack.server_id(WORKER_3.server)?;
    same(
        "the plan",
        &run.json()?,
        &json!({cluster: [node(WORKER_3.server, id, &[Nic::Mgmt.interface(1, WORKER_3)])]}),
    )
}

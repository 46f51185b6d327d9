//! Names that mean several things, nothing, or something in another project: findings, and never in anybody's way.

use serde_json::json;

use crate::{
    Failure,
    expected::{MASTER_1, Nic, WORKER_2, WORKER_3, node},
    results::{Results, contains, same},
    world::{Subnet, World},
};

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    results.record(
        "two subnets of one name: AmbiguousSubnet with both ids, nothing sent",
        same_named_subnets(world),
    );
    results.record(
        "the same subnet by id, on a port attached just now",
        subnet_by_id(world).await,
    );
    results.record(
        "two VMs of one name: AmbiguousVM with both ids, the others delivered",
        same_named_vms(world),
    );
    results.record(
        "both by UUID: DuplicateNodeName, neither delivered",
        duplicate_node_name(world),
    );
    results.record(
        "a VM of another project is VMNotFound, by name and by UUID",
        other_project(world),
    );
    results.record("a VM without a port on the subnet: NoPortOnSubnet", no_port(world));
}

fn same_named_subnets(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-subnet-names";
    let configs = [world.config(cluster, Subnet::Name("biz-shared-name"), &[WORKER_2.server])?];
    let run = world.run(&["sync"], &world.settings(), &configs)?;
    let ids = [
        world.openstack.subnet_id("biz-shared-name@mgmt")?,
        world.openstack.subnet_id("biz-shared-name@storage")?,
    ];
    contains("stderr", &run.exits(3)?.stderr, &["AmbiguousSubnet", ids[0], ids[1]])?;
    same("POSTs", &world.posts(cluster).len(), &0)
}

async fn subnet_by_id(world: &World) -> Result<(), Failure> {
    let spare = Nic::SharedName.port(WORKER_3);
    world.openstack.attach(WORKER_3.server, &spare).await?;
    let outcome = deliver_by_id(world);
    world.openstack.detach(WORKER_3.server, &spare).await?;
    outcome
}

fn deliver_by_id(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-subnet-id";
    let configs = [world.config(cluster, Subnet::Key("biz-shared-name@storage"), &[WORKER_3.server])?];
    world.run(&["sync"], &world.settings(), &configs)?.exits(0)?;
    let id = world.openstack.server_id(WORKER_3.server)?;
    let body = json!([node(WORKER_3.server, id, &[Nic::SharedName.interface(1, WORKER_3)])]);
    same("the bodies POSTed", &world.posts(cluster), &vec![body])
}

fn same_named_vms(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-vm-names";
    let configs = [world.config(cluster, Subnet::Key("biz-mgmt-v4"), &["dup-vm", WORKER_2.server])?];
    let run = world.run(&["sync"], &world.settings(), &configs)?;
    let dup = &world.openstack.seed.dup_servers;
    contains("stderr", &run.exits(3)?.stderr, &["AmbiguousVM", &dup[0], &dup[1]])?;
    let id = world.openstack.server_id(WORKER_2.server)?;
    let body = json!([node(WORKER_2.server, id, &[Nic::Mgmt.interface(1, WORKER_2)])]);
    same("the bodies POSTed", &world.posts(cluster), &vec![body])
}

fn duplicate_node_name(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-node-names";
    let dup = &world.openstack.seed.dup_servers;
    let configs = [world.config(
        cluster,
        Subnet::Key("biz-mgmt-v4"),
        &[&dup[0], &dup[1], MASTER_1.server],
    )?];
    let run = world.run(&["sync"], &world.settings(), &configs)?;
    contains(
        "stderr",
        &run.exits(3)?.stderr,
        &["DuplicateNodeName", &dup[0], &dup[1]],
    )?;
    let id = world.openstack.server_id(MASTER_1.server)?;
    let body = json!([node(MASTER_1.server, id, &[Nic::Mgmt.interface(1, MASTER_1)])]);
    same("the bodies POSTed", &world.posts(cluster), &vec![body])
}

fn other_project(world: &World) -> Result<(), Failure> {
    let other = world.openstack.server_id("other-vm")?;
    for (cluster, vm) in [("e2e-other-name", "other-vm"), ("e2e-other-id", other)] {
        let configs = [world.config(cluster, Subnet::Key("biz-mgmt-v4"), &[vm])?];
        let run = world.run(&["sync"], &world.settings(), &configs)?;
        contains("stderr", &run.exits(3)?.stderr, &["VMNotFound", vm])?;
        same("POSTs", &world.posts(cluster).len(), &0)?;
    }
    Ok(())
}

fn no_port(world: &World) -> Result<(), Failure> {
    let configs = [world.config("e2e-no-port", Subnet::Key("biz-mgmt-v4"), &["bare-vm"])?];
    let run = world.run(&["plan", "--strict"], &world.settings(), &configs)?;
    contains("stderr", &run.exits(3)?.stderr, &["NoPortOnSubnet", "bare-vm"])
}

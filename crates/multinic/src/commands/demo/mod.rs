//! `multinic demo`: the operator and the management API at work, with everything that they need, on this machine.

mod files;
mod hand;
mod server;
mod show;
mod workload;
mod world;

use std::process::ExitCode;

use multinic_lab::SEED_SUBNET_NAME;

use self::{
    files::{NAME, OTHER_RESOURCE, RESOURCE},
    hand::command_line,
    world::World,
};
use crate::{cli::DemoArgs, failure::Failure, output::print};

/// The VM that gets one more port.
const GROWING_VM: &str = "measure-biz-worker-2";

/// Tells the story; with `--once` it ends with the resource's deletion, else everything runs until Ctrl-C.
pub async fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let world = World::start().await?;
    let told = tell(&world, args.once).await;
    let ended = world.end().await;
    told.and(ended).map(|()| ExitCode::SUCCESS)
}

async fn tell(world: &World, once: bool) -> Result<(), Failure> {
    print(&world.introduction())?;
    create(world).await?;
    arrive(world).await?;
    grow(world).await?;
    if once {
        delete(world).await
    } else {
        world.keep_running().await
    }
}

async fn create(world: &World) -> Result<(), Failure> {
    print(&format!(
        "\n== The user's OpenstackConfig\n\n{RESOURCE}\n{}",
        command_line("apply -f openstackconfig.yaml")
    ))?;
    print(&world.hand.apply(&world.path("openstackconfig.yaml")).await?)?;
    print(&format!(
        "\n== Another one, for another cluster\n\n{OTHER_RESOURCE}\n{}",
        command_line("apply -f other.yaml")
    ))?;
    print(&world.hand.apply(&world.path("other.yaml")).await?)?;
    world.until_ready(NAME, 4).await?;
    world.until_ready(files::OTHER_NAME, 1).await?;
    print(&world.hand.configs().await?)
}

/// What the operator has posted, and where it went.
async fn arrive(world: &World) -> Result<(), Failure> {
    let [biz, other] = &world.workloads;
    biz.until_object(GROWING_VM, 2).await?;
    other.until_object(files::OTHER_VM, 1).await?;
    world.api.until_delivered().await?;
    print("\n== What the operator has posted to the management API\n")?;
    world.api.show(&["providers"]).await?;
    world.api.show(&["nodes", "--provider", biz.id]).await?;
    print("\n== What has arrived in the two clusters, for the agents on their nodes\n")?;
    print(&biz.hand.objects().await?)?;
    print(&other.hand.objects().await?)
}

/// Somebody changes the cloud; nobody touches Kubernetes.
async fn grow(world: &World) -> Result<(), Failure> {
    print(&format!(
        "\n== Somebody attaches one more port of {SEED_SUBNET_NAME} to {GROWING_VM}; the next resync (every {}) sees it\n",
        files::INTERVAL
    ))?;
    let attached = world.lab.cloud().attach_port(GROWING_VM, SEED_SUBNET_NAME);
    attached.map_err(Failure::failed)?;
    let [biz, _] = &world.workloads;
    biz.until_object(GROWING_VM, 3).await?;
    world.until_ready(NAME, 5).await?;
    world.api.until_delivered().await?;
    world.api.show(&["revisions", GROWING_VM, "--provider", biz.id]).await?;
    print(&biz.hand.object(GROWING_VM).await?)?;
    print(&world.hand.configs().await?)
}

async fn delete(world: &World) -> Result<(), Failure> {
    print("\n== The OpenstackConfig is deleted: its nodes are cleaned up first\n")?;
    print(&world.hand.delete().await?)?;
    world.until_gone().await?;
    let [biz, _] = &world.workloads;
    for vm in files::VMS {
        biz.until_object(vm, 0).await?;
    }
    world.api.until_delivered().await?;
    world.api.show(&["nodes", "--provider", biz.id]).await?;
    print(&biz.hand.object(GROWING_VM).await?)?;
    print("\nThe objects stay with an empty list until the agents say that they have cleaned up.\n")
}

//! `multinic demo`: the operator at work, with everything that it needs, on this machine.

mod files;
mod hand;
mod show;
mod world;

use std::process::ExitCode;

use multinic_lab::SEED_SUBNET_NAME;

use self::{files::RESOURCE, hand::command_line, world::World};
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
    grow(world).await?;
    if once {
        delete(world).await
    } else {
        keep_running(world).await
    }
}

async fn create(world: &World) -> Result<(), Failure> {
    print(&format!(
        "\n== The user's OpenstackConfig\n\n{RESOURCE}\n{}",
        command_line("apply -f openstackconfig.yaml")
    ))?;
    print(&world.hand.apply(&world.path("openstackconfig.yaml")).await?)?;
    world.until_ready(4).await?;
    print(&world.hand.get().await?)?;
    world.show_posts(0).await
}

/// Somebody changes the cloud; nobody touches Kubernetes.
async fn grow(world: &World) -> Result<(), Failure> {
    print(&format!(
        "\n== Somebody attaches one more port of {SEED_SUBNET_NAME} to {GROWING_VM}; the next resync (every {}) sees it\n",
        files::INTERVAL
    ))?;
    let before = world.nodes()?;
    world
        .lab
        .cloud()
        .attach_port(GROWING_VM, SEED_SUBNET_NAME)
        .map_err(Failure::failed)?;
    world.until_ready(5).await?;
    world.show_posts(1).await?;
    print(&show::compare(&before, &world.nodes()?)?)?;
    print(&world.hand.get().await?)
}

async fn delete(world: &World) -> Result<(), Failure> {
    print("\n== The OpenstackConfig is deleted: its nodes are cleaned up first\n")?;
    print(&world.hand.delete().await?)?;
    world.until_gone().await?;
    world.show_posts(2).await
}

/// Shows each POST as it comes, until Ctrl-C.
async fn keep_running(world: &World) -> Result<(), Failure> {
    print(&world.invitation())?;
    let mut shown = world.receiver.posts().len();
    loop {
        tokio::select! {
            ended = tokio::signal::ctrl_c() => return ended.map_err(Failure::failed),
            () = world.until_posts(shown + 1) => {
                world.show_posts(shown).await?;
                shown = world.receiver.posts().len();
            }
        }
    }
}

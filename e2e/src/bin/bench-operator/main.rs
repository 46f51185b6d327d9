//! The operator at scale, on the lab's simulators (`scripts/bench-operator.sh`): the simulators run here, the operator as a
//! process of its own. One line per figure.

#![allow(clippy::print_stdout, reason = "the printed lines are the result")]

mod announced;
mod fleet;
mod requests;

use std::time::{Duration, Instant, SystemTime};

use stage::{Failure, Replica, Stage, Usage};
use tokio::time::sleep;

use announced::Broker;
use fleet::Fleet;

/// How long nothing happens while the idle process is measured.
const IDLE: Duration = Duration::from_mins(1);
/// Enough for any of the waits; a run that needs it has failed its targets by far.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let number = |index: usize, default: usize| std::env::args().nth(index).map_or(Ok(default), |text| text.parse());
    let large = Fleet {
        providers: 4,
        projects: number(1, 20)?,
        clusters: number(2, 100)?,
        configs: number(3, 1000)?,
    };
    let idle = if number(4, 60)? == 60 {
        IDLE
    } else {
        Duration::from_secs(5)
    };
    at_scale(&large, idle).await?;
    announced(&large, idle).await?;
    with_three(idle).await
}

async fn at_scale(fleet: &Fleet, idle: Duration) -> Result<(), Failure> {
    println!("{fleet}");
    let stage = Stage::start(fleet.cloud(), PATIENCE).await?;
    let replica = cold_start(&stage, fleet, "Ready").await?;
    rest(&replica, idle, "96").await?;
    resyncs(&stage, &replica, fleet).await?;
    new_ports(&stage, fleet).await
}

async fn announced(fleet: &Fleet, idle: Duration) -> Result<(), Failure> {
    println!("{fleet}, announced on RabbitMQ");
    let mut stage = Stage::start(fleet.cloud(), PATIENCE).await?;
    let broker = Broker::of(&mut stage).await?;
    let replica = cold_start(&stage, fleet, "EventSource").await?;
    rest(&replica, idle, "96").await?;
    announced::new_ports(&stage, fleet, &broker).await?;
    announced::storm(&stage, fleet, &broker, &replica).await?;
    resyncs(&stage, &replica, fleet).await
}

/// Ends when all is Ready and this condition is True.
async fn cold_start(stage: &Stage, fleet: &Fleet, condition: &str) -> Result<Replica, Failure> {
    settings(stage, "5m")?;
    let names = fleet.apply(stage)?;
    let began = Instant::now();
    let replica = Replica::start(stage, "a", &[])?;
    stage.until("Ready", &names).await?;
    stage.until(condition, &names).await?;
    println!(
        "cold start to all {condition}: {:.1} s (target 15 s)",
        began.elapsed().as_secs_f64()
    );
    println!("CPU of the cold start: {:.1} s", replica.usage()?.cpu.as_secs_f64());
    fleet.check(stage)?;
    requests::print_cold(stage, fleet);
    Ok(replica)
}

/// The process while nothing happens.
async fn rest(replica: &Replica, idle: Duration, limit: &str) -> Result<(), Failure> {
    let before = replica.usage()?;
    println!(
        "resident memory: {:.1} MiB (target {limit} MiB), at its peak {:.1} MiB",
        before.mebibytes(),
        before.peak_mebibytes()
    );
    sleep(idle).await;
    let after = replica.usage()?;
    println!(
        "idle for {} s: {:.2} % of a core (target 2 %), resident memory {:.1} MiB, {} descriptors, {} threads",
        idle.as_secs(),
        share(before, after, idle),
        after.mebibytes(),
        after.descriptors,
        after.threads
    );
    Ok(())
}

fn share(before: Usage, after: Usage, wall: Duration) -> f64 {
    100.0 * after.cpu.saturating_sub(before.cpu).as_secs_f64() / wall.as_secs_f64()
}

/// What periodic passes cost.
async fn resyncs(stage: &Stage, replica: &Replica, fleet: &Fleet) -> Result<(), Failure> {
    const INTERVAL: Duration = Duration::from_secs(20);
    const ROUNDS: u32 = 4;
    settings(stage, &format!("{}s", INTERVAL.as_secs()))?;
    // The change itself makes everything due once.
    sleep(INTERVAL * 2).await;
    stage.lab.clear_requests();
    let before = replica.usage()?;
    sleep(INTERVAL * ROUNDS).await;
    let after = replica.usage()?;
    requests::print_resyncs(stage, fleet, ROUNDS);
    let each = after.cpu.saturating_sub(before.cpu).as_secs_f64() / f64::from(ROUNDS);
    println!(
        "CPU of a resync of everything: {each:.2} s, which is {:.2} % of a core at the interval of 5 m; peak memory {:.1} MiB",
        each / 3.0,
        after.peak_mebibytes()
    );
    Ok(())
}

/// From the reading that shows a new port to the POST with it.
async fn new_ports(stage: &Stage, fleet: &Fleet) -> Result<(), Failure> {
    const SAMPLES: usize = 10;
    let mut took = Vec::new();
    for sample in 0..SAMPLES {
        let index = sample * fleet.configs / SAMPLES;
        let attached = SystemTime::now();
        let port = stage
            .lab
            .cloud()
            .attach_port(&fleet::vm_id(stage, index)?, &fleet.subnet(index))?;
        let mac = stage.lab.cloud().mac_of(&port)?;
        requests::until_posted(stage, &mac, attached).await;
        took.push(requests::delay(stage, &fleet.subnet(index), &mac, attached)?);
    }
    took.sort();
    println!(
        "one attached port, from the answer that shows it to the POST: median {} ms, longest {} ms of {SAMPLES} (target 1 s)",
        took[SAMPLES / 2].as_millis(),
        took[SAMPLES - 1].as_millis()
    );
    Ok(())
}

async fn with_three(idle: Duration) -> Result<(), Failure> {
    let fleet = Fleet {
        providers: 1,
        projects: 1,
        clusters: 1,
        configs: 3,
    };
    println!("{fleet}");
    let stage = Stage::start(fleet.cloud(), PATIENCE).await?;
    settings(&stage, "5m")?;
    let names = fleet.apply(&stage)?;
    let replica = Replica::start(&stage, "a", &[])?;
    stage.until("Ready", &names).await?;
    rest(&replica, idle, "30").await
}

fn settings(stage: &Stage, interval: &str) -> Result<(), Failure> {
    stage.set("requestsPerSecond: 100", &format!("interval: {interval}"), "30s")
}

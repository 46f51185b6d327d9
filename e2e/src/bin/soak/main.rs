//! The operator under random faults (`scripts/soak.sh`): two replicas, a cloud, a management API and a Kubernetes API that
//! change and fail all the time. At every quiet point what is delivered is compared with what the clouds' own answers
//! and the OpenstackConfigs call for, worked out without any code of the product. Any difference, an interface that moved,
//! or growth of memory, tasks or descriptors is a failure.

#![allow(clippy::print_stdout, reason = "the printed lines are the result")]

mod churn;
mod expected;
mod faults;
mod growth;
mod replicas;
mod truth;
mod watchdog;

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use stage::{Failure, Stage};
use tokio::time::sleep;

use churn::Churn;
use growth::Growth;
use replicas::Replicas;
use watchdog::Watchdog;

/// How long things go wrong before they are left in peace.
const UNREST: Duration = Duration::from_secs(12);
/// The longest that the operator may take to put everything right once nothing fails any more.
const PEACE: Duration = Duration::from_mins(3);
/// Two resyncs: what is right then stays right.
const CALM: Duration = Duration::from_secs(6);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let argument = |index: usize| std::env::args().nth(index).map(|text| text.parse::<u64>()).transpose();
    let minutes = argument(1)?.unwrap_or(10);
    let seed = argument(2)?.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}, {minutes} minutes");
    let stage = Stage::start(truth::cloud(), PEACE).await?;
    stage.set("requestsPerSecond: 100", SYNC, "2s")?;
    let mut soak = Soak {
        random: StdRng::seed_from_u64(seed),
        churn: Churn::begin(&stage)?,
        replicas: Replicas::start(&stage)?,
        watchdog: Watchdog::default(),
        growth: Growth::default(),
        stage,
    };
    let ended = soak.run(Duration::from_secs(60 * minutes)).await;
    if let Err(error) = &ended {
        println!("FAILED with seed {seed}: {error}");
        println!("{}", soak.replicas.logs(&soak.stage)?);
        return ended;
    }
    soak.summarize()
}

const SYNC: &str = "interval: 2s, confirmationPause: 100ms, heldRemovalConfirmations: 3, deletionTimeout: 20s";

struct Soak {
    stage: Stage,
    random: StdRng,
    churn: Churn,
    replicas: Replicas,
    watchdog: Watchdog,
    growth: Growth,
}

impl Soak {
    async fn run(&mut self, time: Duration) -> Result<(), Failure> {
        let began = Instant::now();
        let mut round = 0;
        while began.elapsed() < time || round < 2 {
            round += 1;
            // Processes that were killed show no growth: the second half is without.
            let kills = began.elapsed() < time / 2;
            self.unrest(kills).await?;
            let settled = self.peace().await?;
            if !kills {
                self.growth.sample(&self.replicas).await?;
            }
            println!(
                "round {round}: {} configs, {} nodes, {} interfaces, settled after {:.1} s{}",
                self.churn.configs(),
                self.watchdog.nodes(),
                self.watchdog.interfaces(),
                settled.as_secs_f64(),
                if kills { "" } else { " (nobody is killed)" }
            );
        }
        Ok(())
    }

    /// Everything changes and fails.
    async fn unrest(&mut self, kills: bool) -> Result<(), Failure> {
        let until = Instant::now() + UNREST;
        while Instant::now() < until {
            match self.random.random_range(0..100) {
                0..60 => self.churn.once(&self.stage, &mut self.random)?,
                60..95 => faults::inject(&self.stage, &mut self.random),
                _ => self.replicas.disturb(&self.stage, &mut self.random, kills).await?,
            }
            sleep(Duration::from_millis(self.random.random_range(20..250))).await;
        }
        Ok(())
    }

    /// Nothing fails any more: how long until everything is right. It stays right, too.
    async fn peace(&mut self) -> Result<Duration, Failure> {
        faults::clear(&self.stage);
        self.replicas.all_up(&self.stage)?;
        // Whoever hangs on an answer that will never come.
        self.stage.kubernetes.restart().await?;
        let began = Instant::now();
        let expected = expected::expected(&self.stage).await?;
        let settled = loop {
            self.watchdog.look(&self.stage)?;
            match expected::difference(&self.stage, &expected)? {
                None => break began.elapsed(),
                Some(difference) if began.elapsed() > PEACE => {
                    return Err(format!("not right after {} s: {difference}", PEACE.as_secs()).into());
                }
                Some(_) => sleep(Duration::from_millis(50)).await,
            }
            self.replicas.check()?;
        };
        sleep(CALM).await;
        self.watchdog.look(&self.stage)?;
        match expected::difference(&self.stage, &expected)? {
            None => Ok(settled),
            Some(difference) => Err(format!("it was right and is no longer: {difference}").into()),
        }
    }

    fn summarize(&self) -> Result<(), Failure> {
        println!("{}; {}", self.churn.summary(), self.replicas.summary());
        println!("{}", self.watchdog.summary());
        self.growth.judge()
    }
}

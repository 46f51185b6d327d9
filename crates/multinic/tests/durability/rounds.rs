//! Rounds of start, look, post, kill.

use std::{
    env,
    net::SocketAddr,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use multinic_testing::writers::{Followed, History, Writer, Written};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{sync::Notify, task::JoinSet, time::sleep};

use crate::{api::Process, workload::Workload};

const CLUSTER: &str = "biz-1";
const WRITERS: usize = 4;
const NODES: usize = 12;

/// What all clients together had acknowledged since the start of the process.
#[derive(Debug, Default)]
struct Acknowledged {
    count: AtomicUsize,
    more: Notify,
}

/// Plays the rounds and prints what came of them.
pub async fn play(name: &str, database: &str) {
    let rounds = setting("MULTINIC_DURABILITY_ROUNDS", 6);
    let seed = setting("MULTINIC_DURABILITY_SEED", 4711);
    let mut random = StdRng::seed_from_u64(seed);
    let mut writers: Vec<_> = (0..WRITERS).map(|number| Writer::new(CLUSTER, number, NODES)).collect();
    let mut history = History::new(CLUSTER);
    let mut total = Followed::default();
    let workload = Workload::start(CLUSTER).await;
    let start = || Process::start(database, workload.kubeconfigs());
    for _ in 0..rounds {
        if random.random_ratio(1, 8) {
            killed_while_starting(start(), &mut random).await;
        }
        let mut process = start();
        let address = process.address().await;
        add(&mut total, history.follow(address, &mut writers).await);
        writers = killed_while_posting(process, address, writers, &mut random).await;
    }
    let mut process = start();
    let address = process.address().await;
    add(&mut total, history.follow(address, &mut writers).await);
    let delivered = workload.has_everything(&history, address).await;
    println!(
        "{name}: {rounds} rounds with seed {seed}: {} writes of {NODES} nodes acknowledged, all there; {} more there \
         whose answer the kill cut off; {} changes without a gap; {delivered} nodes in the cluster as they are here",
        total.acknowledged, total.untold, total.changes
    );
}

fn add(total: &mut Followed, more: Followed) {
    total.acknowledged += more.acknowledged;
    total.untold += more.untold;
    total.changes += more.changes;
}

async fn killed_while_starting(process: Process, random: &mut StdRng) {
    sleep(Duration::from_micros(random.random_range(0..60_000))).await;
    process.kill();
}

/// All clients post until the process is gone.
async fn killed_while_posting(
    process: Process,
    address: SocketAddr,
    writers: Vec<Writer>,
    random: &mut StdRng,
) -> Vec<Writer> {
    let acknowledged = Arc::new(Acknowledged::default());
    let mut posting = JoinSet::new();
    for writer in writers {
        posting.spawn(post(writer, address, Arc::clone(&acknowledged)));
    }
    acknowledged.wait(random.random_range(0..3 * WRITERS)).await;
    sleep(Duration::from_micros(random.random_range(0..40_000))).await;
    process.kill();
    let mut writers = posting.join_all().await;
    writers.sort_by_key(Writer::number);
    writers
}

async fn post(mut writer: Writer, address: SocketAddr, acknowledged: Arc<Acknowledged>) -> Writer {
    loop {
        match writer.write(address).await {
            Written::Acknowledged => {
                acknowledged.count.fetch_add(1, Ordering::SeqCst);
                acknowledged.more.notify_one();
            }
            Written::Refused(refusal) => panic!("{refusal:?}"),
            Written::Unanswered => return writer,
        }
    }
}

impl Acknowledged {
    async fn wait(&self, count: usize) {
        while self.count.load(Ordering::SeqCst) < count {
            self.more.notified().await;
        }
    }
}

fn setting<T: FromStr>(name: &str, otherwise: T) -> T {
    let value = env::var(name).ok().and_then(|value| value.parse().ok());
    value.unwrap_or(otherwise)
}

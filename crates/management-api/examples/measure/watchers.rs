//! 1,000 watches of one cluster: how long a change takes to reach the last of them.

use std::time::Duration;

use tokio::{task::JoinSet, time::Instant};

use super::{
    batch::batch,
    figures, posts,
    server::Server,
    wire::{Wire, get, post},
};

const WATCHERS: usize = 1_000;
const CLUSTER: &str = "watched";

pub async fn measure(server: &Server, runs: usize) {
    let mut writer = Wire::open(server.address).await;
    posts::time(&mut writer, &post(CLUSTER, &batch(0..1, 1500))).await;
    let mut opening = JoinSet::new();
    for _ in 0..WATCHERS {
        opening.spawn(open(server.address));
    }
    let mut watches = opening.join_all().await;
    let mut times = Vec::new();
    for run in 0..runs {
        let mtu = 1000 + u32::try_from(run).unwrap();
        let change = post(CLUSTER, &batch(0..1, mtu));
        let begun = Instant::now();
        let mut waiting = JoinSet::new();
        for watch in watches {
            waiting.spawn(told(watch, format!("\"mtu\":{mtu}"), begun));
        }
        posts::time(&mut writer, &change).await;
        let (heard, open): (Vec<_>, Vec<_>) = waiting.join_all().await.into_iter().unzip();
        times.push(heard.into_iter().max().unwrap());
        watches = open;
    }
    figures::print("change to the last of 1,000 watches", times);
}

async fn open(server: std::net::SocketAddr) -> Wire {
    let mut wire = Wire::open(server).await;
    wire.send(&get("?watch=true", CLUSTER)).await;
    wire.until("event: synced").await;
    wire
}

/// Since the POST was begun.
async fn told(mut watch: Wire, text: String, begun: Instant) -> (Duration, Wire) {
    watch.until(&text).await;
    (begun.elapsed(), watch)
}

//! Figures of one server over loopback: `measure DATABASE-URL [ROUNDS]`. Each round uses a cluster of its own.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for measuring"
)]

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use multinic_management_api::{
    server::{Options, Server},
    store::DatabaseSettings,
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const NODES: usize = 1_000;
const INTERFACES: usize = 4;
const GETS_PER_SECOND: u64 = 2_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let database = DatabaseSettings::new(arguments.next().unwrap());
    let rounds: usize = arguments.next().map_or(10, |rounds| rounds.parse().unwrap());
    let options = Options::new((Ipv4Addr::LOCALHOST, 0).into(), database);
    let shutdown = CancellationToken::new();
    let server = Server::start(options, shutdown.clone()).await.unwrap();
    let base = format!("http://{}/v1/k8s/multinic/node-configs", server.address());
    let running = tokio::spawn(server.run());
    let client = Client::builder().no_proxy().build().unwrap();

    let mut figures: [Vec<Duration>; 4] = Default::default();
    for round in 0..rounds {
        let cluster = format!("measure-{}-{round}", std::process::id());
        let (first, second) = (batch(1500), batch(1400));
        figures[0].push(post(&client, &base, &cluster, &first).await);
        figures[1].push(post(&client, &base, &cluster, &first).await);
        figures[2].push(post(&client, &base, &cluster, &second).await);
    }
    figures[3] = gets(&client, &base, &format!("measure-{}-0", std::process::id())).await;
    let names = ["batch, new", "batch, unchanged", "batch, updated", "GET of one node"];
    for (name, mut times) in names.into_iter().zip(figures) {
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "{name:<18} median {:8.2} ms   p99 {:8.2} ms   max {:8.2} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    shutdown.cancel();
    running.await.unwrap();
}

fn batch(mtu: u32) -> Vec<u8> {
    let interface = |node: usize, id: usize| {
        let port = node * INTERFACES + id;
        json!({"id": id, "macAddress": format!("02:00:00:{:02x}:{:02x}:{:02x}", port >> 16, (port >> 8) & 255, port & 255),
            "address": format!("10.{}.{}.{}", port >> 16, (port >> 8) & 255, port & 255), "cidr": "10.0.0.0/8", "mtu": mtu})
    };
    let node = |node: usize| {
        let interfaces: Vec<Value> = (1..=INTERFACES).map(|id| interface(node, id)).collect();
        json!({"nodeName": format!("worker-{node}"), "instanceId": format!("i-{node:08}"), "interfaces": interfaces})
    };
    serde_json::to_vec(&(0..NODES).map(node).collect::<Vec<_>>()).unwrap()
}

async fn post(client: &Client, url: &str, cluster: &str, body: &[u8]) -> Duration {
    let request = client
        .post(url)
        .header("x-provider-id", cluster)
        .header("content-type", "application/json");
    let begun = Instant::now();
    let answer = request.body(body.to_vec()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap();
    begun.elapsed()
}

/// At a fixed rate, whatever the answers take: a slow one does not hold back the next.
async fn gets(client: &Client, url: &str, cluster: &str) -> Vec<Duration> {
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / GETS_PER_SECOND));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut asked = Vec::new();
    for number in 0..GETS_PER_SECOND as usize * 5 {
        ticks.tick().await;
        let request = client
            .get(format!("{url}/worker-{}", number % NODES))
            .header("x-provider-id", cluster);
        asked.push(tokio::spawn(async move {
            let begun = Instant::now();
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
            begun.elapsed()
        }));
    }
    let mut times = Vec::new();
    for asked in asked {
        times.push(asked.await.unwrap());
    }
    times
}

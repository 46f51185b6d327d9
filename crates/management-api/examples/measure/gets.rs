//! GET of one node at a fixed rate, whatever the answers take.
//!
//! Every request has a time at which it is due, and what it takes is counted from then: a server that dawdles cannot slow
//! down the clients and look better for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    figures,
    posts::NODES,
    server::Server,
    wire::{Wire, get},
};

const PER_SECOND: u64 = 2_000;
const WARM_UP: u64 = 2 * PER_SECOND;
const REQUESTS: u64 = 10 * PER_SECOND;
const CONNECTIONS: usize = 64;

pub async fn measure(server: &Server) {
    let next = Arc::new(AtomicU64::new(0));
    let refused = Arc::new(AtomicUsize::new(0));
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        wires.push(Wire::open(server.address).await);
    }
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for wire in wires {
        clients.spawn(ask(wire, begun, Arc::clone(&next), Arc::clone(&refused)));
    }
    let times = clients.join_all().await.concat();
    let refused = refused.load(Ordering::Relaxed);
    assert_eq!(refused, 0, "GETs were refused");
    figures::print("GET of one node at 2,000/s", times);
}

async fn ask(mut wire: Wire, begun: Instant, next: Arc<AtomicU64>, refused: Arc<AtomicUsize>) -> Vec<Duration> {
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= WARM_UP + REQUESTS {
            return times;
        }
        let due = begun + Duration::from_micros(number * 1_000_000 / PER_SECOND);
        sleep_until(due).await;
        let request = get(&format!("/worker-{}", number % NODES as u64), "run-0");
        if wire.exchange(&request).await != 200 {
            refused.fetch_add(1, Ordering::Relaxed);
        }
        if number >= WARM_UP {
            times.push(due.elapsed());
        }
    }
}

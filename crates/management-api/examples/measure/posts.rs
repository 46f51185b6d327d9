//! Batches of 1,000 nodes with 4 interfaces each, one at a time.

use std::time::{Duration, Instant};

use super::{
    batch::batch,
    figures,
    server::Server,
    wire::{Wire, post},
};

pub const NODES: usize = 1_000;

/// Each run uses a cluster of its own.
pub async fn measure(server: &Server, runs: usize) {
    let mut wire = Wire::open(server.address).await;
    let [mut new, mut unchanged, mut updated] = [Vec::new(), Vec::new(), Vec::new()];
    for run in 0..runs {
        let cluster = format!("run-{run}");
        let [first, second] = [1500, 1400].map(|mtu| post(&cluster, &batch(0..NODES, mtu)));
        new.push(time(&mut wire, &first).await);
        unchanged.push(time(&mut wire, &first).await);
        updated.push(time(&mut wire, &second).await);
    }
    figures::print("batch of 1,000 x 4, new", new);
    figures::print("the same batch again", unchanged);
    figures::print("batch of 1,000 x 4, all updated", updated);
}

pub async fn time(wire: &mut Wire, request: &[u8]) -> Duration {
    let begun = Instant::now();
    assert_eq!(wire.exchange(request).await, 200);
    begun.elapsed()
}

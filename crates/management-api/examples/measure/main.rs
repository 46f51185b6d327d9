//! Figures of one server over loopback: `measure DATABASE-URL [RUNS]`, on an empty database (`scripts/bench-api.sh`).
//!
//! The server is a process of its own (`measure serve`), so that its memory can be told from that of the clients.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for measuring"
)]

mod batch;
mod delivered;
mod figures;
mod gets;
mod posts;
mod server;
mod watchers;
mod wire;

use server::Server;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [serve, database, kubeconfigs] = arguments.as_slice()
        && serve == "serve"
    {
        return server::serve(database, kubeconfigs).await;
    }
    let [database, runs @ ..] = arguments.as_slice() else {
        panic!("expected: measure DATABASE-URL [RUNS]");
    };
    let runs: usize = runs.first().map_or(7, |runs| runs.parse().unwrap());
    let workload = delivered::Workload::start().await;
    let server = Server::start(database, workload.kubeconfigs());
    println!("load average before: {}", figures::load());
    posts::measure(&server, runs).await;
    gets::measure(&server).await;
    watchers::measure(&server, runs).await;
    workload.measure(&server).await;
    workload.fill(&server).await;
    println!(
        "resident memory, 10,000 nodes delivered: {:.1} MiB (at most so far: {:.1} MiB)",
        server.memory("VmRSS"),
        server.memory("VmHWM")
    );
    println!("load average after: {}", figures::load());
}

//! A fence that closes while a delivery is under way.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::support::{client, cluster, in_batches_of, nodes, settings};
use multinic_delivery::{Delivery, Gate, ManagementApi, NodeResult};
use multinic_model::NodeConfig;
use multinic_testing::server::{Reply, Server};

/// Closes after so many answers.
struct Closing<'a> {
    api: &'a ManagementApi,
    after: u64,
}

impl Gate for Closing<'_> {
    fn is_open(&self) -> bool {
        self.api.answers().values().sum::<u64>() < self.after
    }
}

/// Closes after it was asked so many times.
struct Asked {
    times: AtomicU32,
    open: u32,
}

impl Gate for Asked {
    fn is_open(&self) -> bool {
        self.times.fetch_add(1, Ordering::SeqCst) < self.open
    }
}

async fn deliver(api: &ManagementApi, configs: &[NodeConfig], gate: &dyn Gate) -> Delivery {
    let nodes: Vec<_> = configs.iter().collect();
    api.deliver(&cluster(), &nodes, gate).await
}

fn categories(delivery: &Delivery) -> Vec<&'static str> {
    let category = |result: &NodeResult| match result {
        NodeResult::Failed { error, .. } => error.category(),
        other => other.name(),
    };
    delivery.nodes.values().map(category).collect()
}

#[tokio::test]
async fn a_closed_fence_lets_nothing_out() {
    let server = Server::scripted([]).await;
    let (api, _) = client(settings(&server));
    let delivery = deliver(&api, &nodes(2), &Closing { api: &api, after: 0 }).await;
    assert_eq!(categories(&delivery), ["fenced", "fenced"]);
    assert_eq!((server.requests().len(), api.requests()), (0, 0));
}

#[tokio::test]
async fn a_fence_that_closes_between_batches_stops_the_next_one_and_all_after_it() {
    let server = Server::answering(|_| Reply::status(204)).await;
    let configs = nodes(4);
    let api = in_batches_of(&server, 1);
    let delivery = deliver(&api, &configs, &Closing { api: &api, after: 2 }).await;
    assert_eq!(categories(&delivery), ["accepted", "accepted", "fenced", "fenced"]);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(delivery.batches.len(), 3, "the last one was not even tried");
}

#[tokio::test]
async fn a_fence_that_closes_between_attempts_stops_the_repetition() {
    let server = Server::answering(|_| Reply::status(503)).await;
    let (api, waited) = client(settings(&server));
    let delivery = deliver(&api, &nodes(1), &Closing { api: &api, after: 2 }).await;
    assert_eq!(categories(&delivery), ["fenced"]);
    let NodeResult::Failed { message, .. } = &delivery.nodes.values().next().unwrap() else {
        panic!("{delivery:?}");
    };
    assert!(
        message.ends_with("the right to write was lost (2 attempts)"),
        "{message}"
    );
    assert_eq!((server.requests().len(), waited.lock().unwrap().len()), (2, 2));
}

#[tokio::test]
async fn a_fence_that_closes_while_the_connection_is_made_lets_nothing_out() {
    let server = Server::scripted([]).await;
    let (api, _) = client(settings(&server));
    let gate = Asked {
        times: AtomicU32::new(0),
        open: 2,
    };
    let delivery = deliver(&api, &nodes(1), &gate).await;
    assert_eq!(categories(&delivery), ["fenced"]);
    assert_eq!((server.requests().len(), api.requests()), (0, 1));
    assert_eq!(api.answers().values().sum::<u64>(), 1, "the attempt is over");
}

#[tokio::test]
async fn a_fence_that_opens_again_does_not_resume_a_delivery() {
    /// Closed once, after the first answer.
    struct Flapping<'a> {
        api: &'a ManagementApi,
        asked: AtomicBool,
    }
    impl Gate for Flapping<'_> {
        fn is_open(&self) -> bool {
            self.api.answers().is_empty() || self.asked.swap(true, Ordering::SeqCst)
        }
    }
    let server = Server::answering(|_| Reply::status(204)).await;
    let api = in_batches_of(&server, 1);
    let gate = Flapping {
        api: &api,
        asked: AtomicBool::new(false),
    };
    let delivery = deliver(&api, &nodes(4), &gate).await;
    assert_eq!(categories(&delivery), ["accepted", "fenced", "fenced", "fenced"]);
}

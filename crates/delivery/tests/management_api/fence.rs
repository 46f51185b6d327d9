//! A fence that closes while a delivery is under way.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use crate::support::{client, cluster, in_batches_of, nodes, settings};
use multinic_delivery::{Delivery, Gate, ManagementApi, NodeResult};
use multinic_model::NodeConfig;
use multinic_testing::server::{Reply, Server};

/// Lets so many attempts through.
struct Closing(Arc<AtomicU32>);

impl Closing {
    fn after(attempts: u32) -> Self {
        Self(Arc::new(attempts.into()))
    }
}

impl Gate for Closing {
    fn is_open(&self) -> bool {
        self.0
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
    }
}

async fn deliver(api: &ManagementApi, configs: &[NodeConfig], gate: &Closing) -> Delivery {
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
    let delivery = deliver(&api, &nodes(2), &Closing::after(0)).await;
    assert_eq!(categories(&delivery), ["fenced", "fenced"]);
    assert_eq!((server.requests().len(), api.requests()), (0, 0));
}

#[tokio::test]
async fn a_fence_that_closes_between_batches_stops_the_next_one_and_all_after_it() {
    let server = Server::answering(|_| Reply::status(204)).await;
    let configs = nodes(4);
    let delivery = deliver(&in_batches_of(&server, 1), &configs, &Closing::after(2)).await;
    assert_eq!(categories(&delivery), ["accepted", "accepted", "fenced", "fenced"]);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(delivery.batches.len(), 3, "the last one was not even tried");
}

#[tokio::test]
async fn a_fence_that_closes_between_attempts_stops_the_repetition() {
    let server = Server::answering(|_| Reply::status(503)).await;
    let (api, waited) = client(settings(&server));
    let delivery = deliver(&api, &nodes(1), &Closing::after(2)).await;
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
async fn a_fence_that_opens_again_does_not_resume_a_delivery() {
    struct Flapping(AtomicU32);
    impl Gate for Flapping {
        fn is_open(&self) -> bool {
            self.0.fetch_add(1, Ordering::SeqCst) != 1
        }
    }
    let server = Server::answering(|_| Reply::status(204)).await;
    let configs = nodes(4);
    let nodes: Vec<_> = configs.iter().collect();
    let delivery = in_batches_of(&server, 1)
        .deliver(&cluster(), &nodes, &Flapping(AtomicU32::new(0)))
        .await;
    assert_eq!(categories(&delivery), ["accepted", "fenced", "fenced", "fenced"]);
}

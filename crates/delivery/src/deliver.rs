//! Delivering: batches in order, one after the other.
//!
//! The order of the nodes is kept, because withdrawals come first: a MAC must leave its old node before another one may
//! have it. A batch that fails does not stop the later ones, although a withdrawal may be in it: the server refuses a MAC
//! that another node still has, node by node, and the next pass repairs the rest. Sending stops when every further
//! batch would meet the same answer (token, address), when the server seems to be down, or when the right to write is lost.

use std::{num::NonZeroU32, sync::Arc};

use multinic_model::{ClusterId, NodeConfig};
use multinic_transport::{Gate, SendError, SendErrorKind};
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use crate::{
    Batch, Delivery, DeliveryError, ManagementApi, NodeResult,
    answer::{NodeResults, read_results},
    body,
};

/// The longest answer to a POST accepted, in bytes. A result takes some hundred bytes, a batch some hundred nodes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// So many batches in a row without a working server are the last.
const MAX_OUTAGES: u32 = 3;

/// What the batches so far say about the next one.
#[derive(Default)]
struct Health {
    outages: u32,
    stopped: Option<Arc<DeliveryError>>,
}

impl ManagementApi {
    /// Posts the nodes in batches, in the given order, and says for each what became of it.
    ///
    /// A batch that is too large for the server (413) is halved until it fits. After a batch that failed for want of a
    /// working server, the next ones are tried once each; after three in a row the rest is not sent. After a refusal that
    /// concerns every request (401, 403, 404, 405, a redirect) the rest is not sent either. What was not sent is `Failed`
    /// with the error that stopped it.
    ///
    /// `gate` is asked before every attempt of every request and whenever one goes on; once it is closed, nothing more is sent.
    pub async fn deliver(&self, cluster: &ClusterId, nodes: &[&NodeConfig], gate: &dyn Gate) -> Delivery {
        let mut delivery = Delivery::default();
        let mut health = Health::default();
        let mut pending: Vec<_> = nodes.chunks(self.batch_size.get()).rev().collect();
        while let Some(batch) = pending.pop() {
            if let Some(error) = &health.stopped {
                delivery.fail(batch, error);
                continue;
            }
            match self.post((cluster, gate), batch, health.attempts()).await {
                Err(DeliveryError::TooLarge { .. }) if batch.len() > 1 => pending.extend(halves(batch)),
                outcome => {
                    let outcome = outcome.map_err(Arc::new);
                    health.after(&outcome);
                    delivery.add(batch, outcome);
                }
            }
        }
        delivery
    }

    async fn post(
        &self,
        (cluster, gate): (&ClusterId, &dyn Gate),
        batch: &[&NodeConfig],
        attempts: NonZeroU32,
    ) -> Result<NodeResults, DeliveryError> {
        let body = body(batch)?;
        let build = |http: &reqwest::Client| {
            let request = http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
            Self::for_cluster(request, cluster)
                .header(ACCEPT, "application/json")
                .body(body.clone())
        };
        let answer = self.api.send_through(gate, attempts, MAX_ANSWER, build).await;
        let answer = answer.map_err(|source| self.unsent(source))?;
        read_results(self, batch, &answer)
    }

    fn unsent(&self, source: SendError) -> DeliveryError {
        match source.kind {
            SendErrorKind::Fenced => DeliveryError::Fenced {
                url: self.url.to_string(),
                attempts: source.attempts,
            },
            _ => self.unreachable("POST", source),
        }
    }
}

impl Health {
    fn attempts(&self) -> NonZeroU32 {
        if self.outages == 0 {
            NonZeroU32::MAX
        } else {
            NonZeroU32::MIN
        }
    }

    fn after(&mut self, outcome: &Result<NodeResults, Arc<DeliveryError>>) {
        match outcome {
            Err(error) if error.is_outage() => self.outages += 1,
            _ => self.outages = 0,
        }
        if let Err(error) = outcome
            && (error.is_final() || self.outages == MAX_OUTAGES)
        {
            self.stopped = Some(Arc::clone(error));
        }
    }
}

impl Delivery {
    fn add(&mut self, batch: &[&NodeConfig], outcome: Result<NodeResults, Arc<DeliveryError>>) {
        let nodes = batch.len();
        match outcome {
            Ok(results) => {
                for (node, result) in batch.iter().zip(results) {
                    self.record(&node.node_name, result);
                }
                self.batches.push(Batch { nodes, error: None });
            }
            Err(error) => {
                self.fail(batch, &error);
                self.batches.push(Batch {
                    nodes,
                    error: Some(error),
                });
            }
        }
    }

    fn fail(&mut self, batch: &[&NodeConfig], error: &Arc<DeliveryError>) {
        for node in batch {
            self.record(&node.node_name, NodeResult::failed(error));
        }
    }
}

/// The second half lies below the first, which is taken next.
fn halves<'a, 'n>(batch: &'a [&'n NodeConfig]) -> [&'a [&'n NodeConfig]; 2] {
    let (first, second) = batch.split_at(batch.len().div_ceil(2));
    [second, first]
}

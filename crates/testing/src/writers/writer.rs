//! One client.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde_json::Value;

use super::content::Version;

/// Posts versions of its nodes, all of them in one batch, one batch after the other.
#[derive(Debug)]
pub struct Writer {
    pub(super) number: usize,
    pub(super) nodes: usize,
    /// The newest version that was sent.
    pub(super) sent: u64,
    /// The revisions of its nodes as they were acknowledged, by version.
    pub(super) acknowledged: BTreeMap<u64, Vec<u64>>,
    cluster: String,
    client: reqwest::Client,
}

/// What came of a write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Written {
    /// It was taken.
    Acknowledged,
    /// The server said no.
    Refused(Refusal),
    /// Nothing came back, or not all of it.
    Unanswered,
}

/// How a server said no.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The problem's lasting name.
    pub problem: String,
    /// When another try is worth it, in seconds.
    pub retry_after: Option<u32>,
}

/// How long anything may take: what is longer counts as unanswered.
const PATIENCE: Duration = Duration::from_mins(1);

impl Writer {
    /// The writer of that number (at most 255), of so many nodes (at most 255).
    pub fn new(cluster: &str, number: usize, nodes: usize) -> Self {
        Self {
            number,
            nodes,
            sent: 0,
            acknowledged: BTreeMap::new(),
            cluster: cluster.to_owned(),
            client: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
        }
    }

    /// Sends the next version.
    pub async fn write(&mut self, api: SocketAddr) -> Written {
        self.sent += 1;
        let batch: Vec<_> = (0..self.nodes).map(|node| self.version(node).config()).collect();
        let request = self
            .client
            .post(format!("http://{api}/v1/k8s/multinic/node-configs"))
            .header("x-provider-id", &self.cluster)
            .json(&batch);
        match answer(request).await {
            None => Written::Unanswered,
            Some(Err(refusal)) => Written::Refused(refusal),
            Some(Ok(results)) => {
                self.acknowledged.insert(self.sent, self.revisions(&results));
                Written::Acknowledged
            }
        }
    }

    /// Reads the first of its nodes; the status.
    pub async fn read(&self, api: SocketAddr) -> Result<u16, Refusal> {
        let name = self.version(0).name();
        let request = self
            .client
            .get(format!("http://{api}/v1/k8s/multinic/node-configs/{name}"))
            .header("x-provider-id", &self.cluster);
        match answer(request).await {
            Some(Err(refusal)) if refusal.status != 404 => Err(refusal),
            Some(Err(_)) => Ok(404),
            Some(Ok(_)) => Ok(200),
            None => panic!("a read was not answered"),
        }
    }

    /// Its number.
    pub const fn number(&self) -> usize {
        self.number
    }

    fn version(&self, node: usize) -> Version {
        Version {
            writer: self.number,
            node,
            number: self.sent,
        }
    }

    fn revisions(&self, results: &Value) -> Vec<u64> {
        let results = results["results"].as_array().unwrap();
        assert_eq!(results.len(), self.nodes);
        let revision = |result: &Value| {
            let status = result["status"].as_str().unwrap();
            assert!(matches!(status, "created" | "updated"), "{result}");
            result["revision"].as_u64().unwrap()
        };
        results.iter().map(revision).collect()
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Option<Result<Value, Refusal>> {
    let response = request.send().await.ok()?;
    let status = response.status();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let body: Value = response.json().await.ok()?;
    if status.is_success() {
        return Some(Ok(body));
    }
    let problem = body["type"].as_str().unwrap_or_default();
    Some(Err(Refusal {
        status: status.as_u16(),
        problem: problem
            .strip_prefix("urn:multinic:problem:")
            .unwrap_or_default()
            .to_owned(),
        retry_after,
    }))
}

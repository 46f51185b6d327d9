//! What the server has made of the writers' posts, held against what they know.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::Value;

use super::{Writer, content::Version};

/// The history of one cluster, as far as it was followed.
#[derive(Debug)]
pub struct History {
    cluster: String,
    client: reqwest::Client,
    sequence: u64,
    /// The newest change of each node.
    nodes: BTreeMap<String, Known>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    revision: u64,
    version: Version,
}

/// How far the delivery of a node has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// The node.
    pub node: String,
    /// The revision in force.
    pub revision: u64,
    /// The node config.
    pub config: Value,
    /// What the API says of its delivery.
    pub state: Value,
}

/// What was found since the last time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Followed {
    /// Batches that were acknowledged, and are there.
    pub acknowledged: usize,
    /// Batches that are there though nobody was told.
    pub untold: usize,
    /// Changes of nodes.
    pub changes: usize,
}

impl History {
    /// The history of a cluster that does not exist yet.
    pub fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            sequence: 0,
            nodes: BTreeMap::new(),
        }
    }

    /// Reads what came since the last time, and fails if anything that was acknowledged is not there, anything is half
    /// there, there is a gap, or anything went back.
    pub async fn follow(&mut self, api: SocketAddr, writers: &mut [Writer]) -> Followed {
        let provider = self.get(api, &format!("providers/{}", self.cluster)).await;
        let last = provider["sequence"].as_u64().unwrap_or_default();
        assert!(last >= self.sequence, "the history went back: {provider}");
        let changes = self.changes(api, last).await;
        let batches = self.take(&changes);
        let mut followed = Followed {
            changes: changes.len(),
            ..Followed::default()
        };
        for writer in writers {
            check(writer, &batches, &mut followed);
        }
        for node in self.nodes(api).await {
            let version = Version::of(&node.config);
            let revision = node.revision;
            assert_eq!(self.nodes.get(&node.node), Some(&Known { revision, version }));
        }
        followed
    }

    /// The batches among the changes: the revision of each node, by writer and version.
    fn take(&mut self, changes: &[Value]) -> BTreeMap<(usize, u64), BTreeMap<usize, u64>> {
        let mut batches: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for change in changes {
            self.sequence += 1;
            assert_eq!(change["sequence"], self.sequence, "a gap in the history");
            let (version, revision) = (Version::of(change), change["revision"].as_u64().unwrap());
            let known = self.nodes.insert(version.name(), Known { revision, version });
            assert_eq!(revision, known.map_or(0, |known| known.revision) + 1, "{change}");
            assert!(
                known.is_none_or(|known| known.version < version),
                "an older version: {change}"
            );
            let batch = batches.entry((version.writer, version.number)).or_default();
            batch.insert(version.node, revision);
        }
        batches
    }

    /// Every node as it is, with its delivery.
    pub async fn nodes(&self, api: SocketAddr) -> Vec<Delivery> {
        let mut nodes = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(api, &format!("node-configs?limit=500{cursor}")).await;
            nodes.extend(page["items"].as_array().into_iter().flatten().map(node));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return nodes,
            }
        }
    }

    async fn get(&self, api: SocketAddr, path: &str) -> Value {
        let request = self.client.get(format!("http://{api}/v1/k8s/multinic/{path}"));
        let answer = request.header("x-provider-id", &self.cluster).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// The changes up to `last`, from a watch that is taken up where it was left.
    async fn changes(&self, api: SocketAddr, last: u64) -> Vec<Value> {
        let mut changes = Vec::new();
        if last == self.sequence {
            return changes;
        }
        let url = format!("http://{api}/v1/k8s/multinic/node-configs?watch=true");
        let request = self.client.get(url).header("x-provider-id", &self.cluster);
        let mut watch = request.header("last-event-id", self.sequence).send().await.unwrap();
        let mut text = Vec::new();
        while changes.last().is_none_or(|change: &Value| change["sequence"] != last) {
            text.extend_from_slice(&watch.chunk().await.unwrap().expect("the watch ended"));
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let lines = String::from_utf8(text.drain(..whole).collect()).unwrap();
            let data = lines.lines().filter_map(|line| line.strip_prefix("data: "));
            changes.extend(data.map(|data| serde_json::from_str::<Value>(data).unwrap()));
        }
        changes
    }
}

fn node(item: &Value) -> Delivery {
    Delivery {
        node: item["nodeName"].as_str().unwrap().to_owned(),
        revision: item["revision"].as_u64().unwrap(),
        config: item.clone(),
        state: item["delivery"].clone(),
    }
}

fn check(writer: &mut Writer, batches: &BTreeMap<(usize, u64), BTreeMap<usize, u64>>, followed: &mut Followed) {
    let mine = (writer.number, 0)..=(writer.number, u64::MAX);
    for ((_, version), batch) in batches.range(mine) {
        assert!(*version <= writer.sent);
        assert_eq!(
            batch.len(),
            writer.nodes,
            "half of a batch: {version} of {}",
            writer.number
        );
        let revisions: Vec<_> = batch.values().copied().collect();
        match writer.acknowledged.remove(version) {
            Some(acknowledged) => {
                assert_eq!(revisions, acknowledged);
                followed.acknowledged += 1;
            }
            None => followed.untold += 1,
        }
    }
    assert_eq!(writer.acknowledged, BTreeMap::new(), "acknowledged and lost");
}

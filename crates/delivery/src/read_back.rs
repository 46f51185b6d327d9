//! Reading back what a cluster holds: complete, or an error (rule 1), or the knowledge that the server cannot say.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::atomic::Ordering,
};

use multinic_model::{ClusterId, Earlier, EarlierNode, InstanceId, MacAddress, NodeConfig, NodeName, UnreadableNode};
use multinic_transport::{Answer, SendError, printable};
use reqwest::{StatusCode, header::ACCEPT};
use serde::Deserialize;
use serde_json::Value;

use crate::{DeliveryError, ManagementApi};

/// How many nodes one page is asked to hold; a server may give fewer.
const PAGE: u32 = 500;

/// The longest page accepted, in bytes: 500 nodes take about 1 MB.
const MAX_PAGE: usize = 16 * 1024 * 1024;

/// The greatest number of pages of one reading.
const MAX_PAGES: usize = 1000;

/// The longest cursor accepted, in bytes: it goes into the request line.
const MAX_CURSOR: usize = 2048;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageJson {
    items: Vec<Value>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// What has to be known of a node config to leave it alone: whose it is, and which MAC addresses nobody else may get.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutlineJson {
    node_name: NodeName,
    instance_id: InstanceId,
    interfaces: Vec<InterfaceOutlineJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InterfaceOutlineJson {
    mac_address: MacAddress,
}

/// Where the reading stands.
#[derive(Default)]
pub(crate) struct Reading {
    nodes: BTreeMap<NodeName, EarlierNode>,
    unreadable: BTreeMap<NodeName, UnreadableNode>,
    cursors: BTreeSet<String>,
}

impl Reading {
    /// Gives the node back if it is listed already.
    fn add(&mut self, config: NodeConfig) -> Option<NodeName> {
        let NodeConfig {
            node_name,
            instance_id,
            mut interfaces,
        } = config;
        if self.has(&node_name) {
            return Some(node_name);
        }
        interfaces.sort_by_key(|interface| interface.id);
        let earlier = EarlierNode {
            instance_id,
            interfaces,
        };
        self.nodes.insert(node_name, earlier);
        None
    }

    /// The same for an item that is no node config.
    fn add_unreadable(&mut self, item: &Value, error: &serde_json::Error) -> Result<Option<NodeName>, DeliveryError> {
        let Ok(OutlineJson {
            node_name,
            instance_id,
            interfaces,
        }) = OutlineJson::deserialize(item)
        else {
            return Err(unreadable(item, error));
        };
        if self.has(&node_name) {
            return Ok(Some(node_name));
        }
        let node = UnreadableNode {
            instance_id,
            macs: interfaces.into_iter().map(|interface| interface.mac_address).collect(),
            problem: printable(&error.to_string()),
        };
        self.unreadable.insert(node_name, node);
        Ok(None)
    }

    fn has(&self, node: &NodeName) -> bool {
        self.nodes.contains_key(node) || self.unreadable.contains_key(node)
    }

    fn finish(self) -> Earlier {
        let Self { nodes, unreadable, .. } = self;
        if unreadable.is_empty() {
            Earlier::Known(nodes)
        } else {
            Earlier::Partly { nodes, unreadable }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len() + self.unreadable.len()
    }
}

impl ManagementApi {
    /// Reads every node config of the cluster.
    ///
    /// 404, 405 or 501 on the first page means that the server has no GET, if it never answered one
    /// ([`ReadBack`](crate::ReadBack)); later
    /// they are errors like any other. A stored item that is not a node config is kept apart as unreadable, if its node,
    /// its server and its MAC addresses can be told; otherwise it is an error that names it: leaving it out would make
    /// it look absent, and its ids and MAC addresses free.
    pub async fn read_back(&self, cluster: &ClusterId) -> Result<Earlier, DeliveryError> {
        let mut reading = Reading::default();
        let mut cursor = None;
        for page in 0..MAX_PAGES {
            let answer = self.page(cluster, PAGE, cursor.as_deref()).await?;
            if page == 0 && is_not_offered(answer.status) && !self.reads_back.load(Ordering::Relaxed) {
                return Ok(Earlier::NotOffered);
            }
            cursor = self.add_page(&mut reading, &answer)?;
            self.reads_back.store(true, Ordering::Relaxed);
            if cursor.is_none() {
                return Ok(reading.finish());
            }
        }
        Err(self.pages("they do not end"))
    }

    pub(crate) async fn page(
        &self,
        cluster: &ClusterId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Answer, DeliveryError> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("limit", &limit.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let build = |http: &reqwest::Client| {
            Self::for_cluster(http.get(url.clone()), cluster).header(ACCEPT, "application/json")
        };
        let answer = self.api.send(NonZeroU32::MAX, MAX_PAGE, build).await;
        answer.map_err(|source| self.unreachable("GET", source))
    }

    pub(crate) fn read_page(&self, answer: &Answer) -> Result<PageJson, DeliveryError> {
        if answer.status != StatusCode::OK {
            return Err(self.refusal("GET", answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| DeliveryError::Answer {
            method: "GET",
            url: self.url.to_string(),
            reason: printable(&error.to_string()),
        })
    }

    /// Takes the page's nodes and gives the cursor of the next one.
    pub(crate) fn add_page(&self, reading: &mut Reading, answer: &Answer) -> Result<Option<String>, DeliveryError> {
        let PageJson { items, next_cursor } = self.read_page(answer)?;
        for item in items {
            self.add(reading, &item)?;
        }
        let cursor = next_cursor.filter(|cursor| !cursor.is_empty());
        if let Some(cursor) = &cursor {
            self.check_cursor(reading, cursor)?;
        }
        Ok(cursor)
    }

    fn add(&self, reading: &mut Reading, item: &Value) -> Result<(), DeliveryError> {
        let twice = match NodeConfig::deserialize(item) {
            Ok(config) => reading.add(config),
            Err(error) => reading.add_unreadable(item, &error)?,
        };
        match twice {
            None => Ok(()),
            Some(node) => Err(DeliveryError::ListedTwice {
                node,
                url: self.url.to_string(),
            }),
        }
    }

    fn check_cursor(&self, reading: &mut Reading, cursor: &str) -> Result<(), DeliveryError> {
        if cursor.len() > MAX_CURSOR {
            return Err(self.pages("a cursor is longer than 2048 bytes"));
        }
        if !reading.cursors.insert(cursor.to_owned()) {
            return Err(self.pages("a cursor came twice"));
        }
        Ok(())
    }

    fn pages(&self, reason: &'static str) -> DeliveryError {
        DeliveryError::Pages {
            url: self.url.to_string(),
            reason,
        }
    }

    pub(crate) fn unreachable(&self, method: &'static str, source: SendError) -> DeliveryError {
        DeliveryError::Unreachable {
            method,
            url: self.url.to_string(),
            source,
        }
    }
}

/// The answers by which another server says that it only takes POSTs.
pub(crate) fn is_not_offered(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
    )
}

fn unreadable(item: &Value, error: &serde_json::Error) -> DeliveryError {
    let node = item
        .get("nodeName")
        .and_then(Value::as_str)
        .unwrap_or("without a nodeName");
    DeliveryError::Item {
        node: printable(node),
        reason: printable(&error.to_string()),
    }
}

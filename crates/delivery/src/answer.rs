//! The answer to a POST: per node from a server that says so, else for the batch as a whole. Never assumed good.

use std::{collections::BTreeMap, sync::Arc};

use multinic_model::{NodeConfig, NodeName};
use multinic_transport::{Answer, printable};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::{DeliveryError, ManagementApi, NodeResult};

/// In the order of the batch.
pub(crate) type NodeResults = Vec<NodeResult>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultJson {
    node_name: String,
    status: String,
    #[serde(default)]
    revision: Value,
    #[serde(default)]
    error: Value,
}

/// Reads 2xx and 422; everything else is an error of the whole batch.
pub(crate) fn read_results(
    api: &ManagementApi,
    batch: &[&NodeConfig],
    answer: &Answer,
) -> Result<NodeResults, DeliveryError> {
    if !answer.status.is_success() && answer.status != StatusCode::UNPROCESSABLE_ENTITY {
        return Err(api.refusal("POST", answer));
    }
    match results(&answer.body) {
        Ok(Some(results)) => Ok(per_node(api, batch, &results)),
        Ok(None) | Err(_) if answer.status == StatusCode::UNPROCESSABLE_ENTITY => Err(api.refusal("POST", answer)),
        Ok(None) if answer.status == StatusCode::MULTI_STATUS => {
            Err(misunderstood(api, "207 without results".to_owned()))
        }
        Ok(None) => Ok(vec![NodeResult::Accepted; batch.len()]),
        Err(error) => Err(misunderstood(api, printable(&error.to_string()))),
    }
}

fn misunderstood(api: &ManagementApi, reason: String) -> DeliveryError {
    DeliveryError::Answer {
        method: "POST",
        url: api.url.to_string(),
        reason,
    }
}

/// The list below `results`; `None` if the body is not an object with one. A body that begins like an object must be
/// one: what is cut off must not pass for "nothing to say".
fn results(body: &[u8]) -> Result<Option<Vec<Value>>, serde_json::Error> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    let mut object: Value = serde_json::from_slice(body)?;
    match object.get_mut("results").map(Value::take) {
        Some(results) => serde_json::from_value(results).map(Some),
        None => Ok(None),
    }
}

/// A node that is not named, or with an unknown status, failed. Of two results for one node the worse counts.
fn per_node(api: &ManagementApi, batch: &[&NodeConfig], results: &[Value]) -> NodeResults {
    let mut by_name = BTreeMap::new();
    for result in results.iter().filter_map(|result| ResultJson::deserialize(result).ok()) {
        let Ok(node) = result.node_name.parse::<NodeName>() else {
            continue;
        };
        let result = result.read(api, &node);
        if by_name.get(&node).is_none_or(NodeResult::is_delivered) {
            by_name.insert(node, result);
        }
    }
    let missing = |node: &NodeName| {
        let url = api.url.to_string();
        NodeResult::failed(&Arc::new(DeliveryError::NoResult {
            node: node.clone(),
            url,
        }))
    };
    let result = |node: &NodeName| by_name.get(node).cloned().unwrap_or_else(|| missing(node));
    batch.iter().map(|config| result(&config.node_name)).collect()
}

impl ResultJson {
    fn read(self, api: &ManagementApi, node: &NodeName) -> NodeResult {
        let revision = self.revision.as_u64();
        match self.status.as_str() {
            "created" => NodeResult::Created { revision },
            "updated" => NodeResult::Updated { revision },
            "unchanged" => NodeResult::Unchanged { revision },
            "rejected" => NodeResult::Rejected {
                error: api.api.redact(&reason(&self.error)),
            },
            unknown => NodeResult::failed(&Arc::new(DeliveryError::UnknownResult {
                node: node.clone(),
                url: api.url.to_string(),
                status: printable(unknown),
            })),
        }
    }
}

fn reason(error: &Value) -> String {
    match error {
        Value::Null => "the server gives no reason".to_owned(),
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    }
}

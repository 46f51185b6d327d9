//! Node configs to send.

use multinic_management_api::store::{
    Store, StoreError,
    idempotency::Answer,
    upsert::{Candidate, Outcome, Upsert, Upserted},
};
use multinic_model::{ClusterId, NodeConfig, NodeName};
use serde_json::{Value, json};

pub fn cluster() -> ClusterId {
    "biz-1".parse().unwrap()
}

pub fn name(number: usize) -> NodeName {
    format!("worker-{number}").parse().unwrap()
}

/// Node `number` with that many interfaces; no two nodes share an address.
pub fn node_json(number: usize, interfaces: usize) -> Value {
    let interface = |index: usize| {
        let port = number * 16 + index;
        json!({"id": index, "macAddress": mac(port), "address": format!("10.{}.{}.{}", port >> 16, (port >> 8) & 255, port & 255),
            "cidr": "10.0.0.0/8", "mtu": 1450})
    };
    let interfaces: Vec<_> = (1..=interfaces).map(interface).collect();
    json!({"nodeName": name(number), "instanceId": format!("i-{number:04}"), "interfaces": interfaces})
}

pub fn mac(port: usize) -> String {
    format!(
        "02:00:00:{:02x}:{:02x}:{:02x}",
        port >> 16,
        (port >> 8) & 255,
        port & 255
    )
}

pub fn node(number: usize, interfaces: usize) -> NodeConfig {
    serde_json::from_value(node_json(number, interfaces)).unwrap()
}

/// Sends the node configs as one batch and gives the outcomes.
pub async fn put(store: &Store, configs: impl IntoIterator<Item = NodeConfig>) -> Vec<Outcome> {
    let candidates: Vec<_> = configs.into_iter().map(|config| candidate(config, None)).collect();
    put_candidates(store, &candidates).await.unwrap()
}

pub const fn candidate(config: NodeConfig, made_from: Option<u64>) -> Candidate {
    Candidate { config, made_from }
}

pub async fn put_candidates(store: &Store, candidates: &[Candidate]) -> Result<Vec<Outcome>, StoreError> {
    let outcomes = std::sync::Mutex::new(Vec::new());
    let upserted: Upserted = store
        .upsert(
            Upsert {
                cluster: &cluster(),
                candidates,
                caller: "operator",
                key: None,
            },
            |found| {
                *outcomes.lock().unwrap() = found.to_vec();
                Answer {
                    status: 200,
                    body: String::new(),
                }
            },
        )
        .await?;
    assert!(!upserted.replayed);
    Ok(outcomes.into_inner().unwrap())
}

/// A token as the file of tokens holds it.
pub fn digest(token: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(token);
    digest
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

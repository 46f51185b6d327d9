//! A client with recorded pauses, and node configs by number.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use multinic_delivery::{ManagementApi, ManagementApiSettings, Pauses};
use multinic_model::{ClusterId, NodeConfig};
use multinic_testing::server::{Request, Server};
use serde_json::{Value, json};

pub const TOKEN: &str = "t0ken-of-the-test";

pub type Waited = Arc<Mutex<Vec<Duration>>>;

pub fn settings(server: &Server) -> ManagementApiSettings {
    ManagementApiSettings::new(server.url())
}

/// A client that records its pauses instead of spending them.
pub fn client(settings: ManagementApiSettings) -> (ManagementApi, Waited) {
    let waited = Waited::default();
    let record = Arc::clone(&waited);
    let pauses = Pauses::new(move |pause| {
        record.lock().unwrap().push(pause);
        std::future::ready(())
    });
    (ManagementApi::new(settings).unwrap().with_pauses(pauses), waited)
}

/// A client with batches of `size`.
pub fn in_batches_of(server: &Server, size: usize) -> ManagementApi {
    let batch_size = NonZeroUsize::new(size).unwrap();
    client(ManagementApiSettings {
        batch_size,
        ..settings(server)
    })
    .0
}

pub fn cluster() -> ClusterId {
    "f5861c22-b252-42b5-a0c5-cfb1d245c819".parse().unwrap()
}

pub fn node_json(number: usize) -> Value {
    json!({"nodeName": format!("worker-{number}"), "instanceId": format!("i-{number}"), "interfaces": [
        {"id": 1, "macAddress": format!("fa:16:3e:00:{:02x}:{:02x}", number / 256, number % 256),
         "address": "192.168.1.100", "cidr": "192.168.1.0/24", "mtu": 1450}]})
}

pub fn nodes(count: usize) -> Vec<NodeConfig> {
    (1..=count)
        .map(|number| serde_json::from_value(node_json(number)).unwrap())
        .collect()
}

/// The numbers of the nodes in the body of a POST.
pub fn numbers(request: &Request) -> Vec<usize> {
    let body: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
    let name = |node: &Value| {
        node["nodeName"]
            .as_str()
            .unwrap()
            .trim_start_matches("worker-")
            .parse()
            .unwrap()
    };
    body.iter().map(name).collect()
}

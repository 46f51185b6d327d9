//! The operator and the real management API: across restarts of both, refusals, and a deletion.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use multinic_api_client::{ApiReader, NodeFilter, ReaderSettings};
use multinic_management_api::{
    server::{Options, Server},
    store::DatabaseSettings,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    replica::Replica,
    stage::{CLUSTER, NAMESPACE, Stage, condition, ids},
};

const TOKEN: &str = "operator-token-of-the-test";

/// The server at one address, whether it runs or not.
struct Api {
    address: SocketAddr,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Api {
    async fn start(stage: &Stage) -> Self {
        let mut api = Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            running: None,
        };
        Self::allow(stage, TOKEN);
        api.serve(stage).await;
        api
    }

    async fn serve(&mut self, stage: &Stage) {
        let folder = stage.folder.path();
        let options = Options {
            tokens: Some(folder.join("tokens.yaml")),
            ..Options::new(
                self.address,
                DatabaseSettings::new(format!("sqlite://{}", folder.join("api.db").display())),
            )
        };
        let shutdown = CancellationToken::new();
        let server = Server::start(options, shutdown.clone()).await.unwrap();
        self.address = server.address();
        self.running = Some((shutdown, tokio::spawn(server.run())));
    }

    async fn stop(&mut self) {
        let (shutdown, running) = self.running.take().unwrap();
        shutdown.cancel();
        running.await.unwrap();
    }

    /// The token that the server takes from its next start on.
    fn allow(stage: &Stage, token: &str) {
        let folder = stage.folder.path();
        fs::write(folder.join("api-token"), token).unwrap();
        let tokens =
            json!({"tokens": [{"name": "operator", "role": "operator", "providers": ["*"], "tokenFile": "api-token"}]});
        fs::write(folder.join("tokens.yaml"), tokens.to_string()).unwrap();
    }

    /// `{node: node config}`.
    async fn nodes(&self) -> BTreeMap<String, Value> {
        let settings = ReaderSettings {
            token: Some(TOKEN.into()),
            ..ReaderSettings::new(format!("http://{}", self.address).parse().unwrap())
        };
        let reader = ApiReader::new(settings).unwrap();
        let cluster = CLUSTER.parse().unwrap();
        let mut pages = reader.nodes(&cluster, &NodeFilter::default(), 100);
        let nodes = pages.next::<Value>().await.unwrap().unwrap();
        let named = |node: Value| (node["nodeName"].as_str().unwrap().to_owned(), node);
        nodes.into_iter().map(named).collect()
    }

    /// `{node: {mac: id}}`.
    async fn ids(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let nodes = self.nodes().await.into_iter();
        nodes.map(|(name, node)| (name, ids(&node))).collect()
    }
}

/// Settings that deliver to the server, and resync often.
fn settings(stage: &Stage, api: &Api) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "multinic", "namespace": NAMESPACE},
        "stringData": {"token": TOKEN}});
    stage.kubernetes.apply(secret).unwrap();
    stage.set_at(
        &format!("http://{}", api.address),
        ", token: {secret: multinic, key: token}",
        "interval: 1s",
    );
}

async fn until_reason(stage: &Stage, reason: &str) {
    stage
        .until(|config| condition(config, "Delivered")["reason"] == reason)
        .await;
}

#[tokio::test]
async fn the_real_server_is_read_back_and_outlives_the_operator() {
    let stage = Stage::new().await;
    let mut api = Api::start(&stage).await;
    settings(&stage, &api);
    let replica = Replica::alone(&stage);
    stage.put("red", &["vm-1", "vm-2"]);
    stage.until_ready().await;
    let first = api.ids().await;
    assert_eq!(first.keys().collect::<Vec<_>>(), ["vm-1", "vm-2"]);
    replica.kill();
    api.stop().await;
    api.serve(&stage).await;
    stage.lab.cloud().attach_port("vm-1", "red").unwrap();
    let replica = Replica::alone(&stage);
    stage.until(|config| config["status"]["interfaceCount"] == 5).await;
    stage.until_ready().await;
    let second = api.nodes().await;
    assert_eq!(ids(&second["vm-2"]), first["vm-2"], "{}", replica.log());
    let grown = ids(&second["vm-1"]);
    assert!(
        first["vm-1"].iter().all(|(mac, id)| grown.get(mac) == Some(id)),
        "{grown:?}"
    );
    let revisions = ["vm-1", "vm-2"].map(|node| second[node]["revision"].clone());
    assert_eq!(revisions, [json!(2), json!(1)], "what is right already is not sent");
}

#[tokio::test]
async fn a_server_that_is_away_or_refuses_is_told_in_the_status_and_got_over() {
    let stage = Stage::new().await;
    let mut api = Api::start(&stage).await;
    settings(&stage, &api);
    let replica = Replica::alone(&stage);
    stage.put("red", &["vm-1"]);
    stage.until_ready().await;
    api.stop().await;
    stage.put("red", &["vm-1", "vm-2"]);
    until_reason(&stage, "ManagementApiUnavailable").await;
    Api::allow(&stage, "another-token-of-the-test");
    api.serve(&stage).await;
    until_reason(&stage, "ManagementApiRefused").await;
    api.stop().await;
    Api::allow(&stage, TOKEN);
    api.serve(&stage).await;
    stage.until_ready().await;
    assert_eq!(api.ids().await.len(), 2, "{}", replica.log());
}

#[tokio::test]
async fn a_rejected_node_is_named_and_a_deleted_config_leaves_empty_nodes() {
    let stage = Stage::new().await;
    let api = Api::start(&stage).await;
    settings(&stage, &api);
    let replica = Replica::alone(&stage);
    stage.put("red", &["vm-1", "vm-2"]);
    stage.until_ready().await;
    stage.delete();
    stage.until(Value::is_null).await;
    let nodes = api.nodes().await;
    assert!(nodes.values().all(|node| node["interfaces"] == json!([])), "{nodes:?}");
    assert_eq!(nodes.len(), 2, "{}", replica.log());
    // Somebody else's node has an address of vm-1.
    let history = history(&api, "vm-1").await;
    let mut interface = history["interfaces"][0].clone();
    interface["macAddress"] = json!("02:00:00:00:00:01");
    post(
        &api,
        &json!([{"nodeName": "squatter", "instanceId": "i-squatter", "interfaces": [interface]}]),
    )
    .await;
    stage.put("red", &["vm-1", "vm-2"]);
    let rejected = stage
        .until(|config| condition(config, "Delivered")["reason"] == "NodeRejected")
        .await;
    let message = condition(&rejected, "Delivered")["message"].as_str().unwrap();
    assert!(message.contains("vm-1") && message.contains("squatter"), "{message}");
    assert_eq!(ids(&api.nodes().await["vm-2"]).len(), 2, "the others go on");
}

/// The first change of a node.
async fn history(api: &Api, node: &str) -> Value {
    let path = format!("/v1/k8s/multinic/node-configs/{node}/revisions");
    let answer = request(api, reqwest::Method::GET, &path).send().await.unwrap();
    let changes: Value = answer.json().await.unwrap();
    changes["items"].as_array().unwrap().last().unwrap().clone()
}

async fn post(api: &Api, body: &Value) {
    let request = request(api, reqwest::Method::POST, "/v1/k8s/multinic/node-configs").json(body);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

fn request(api: &Api, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method, format!("http://{}{path}", api.address));
    request.bearer_auth(TOKEN).header("x-provider-id", CLUSTER)
}

//! The real server in this process, with tokens, and what is put into it.

use std::{fs, net::Ipv4Addr, path::PathBuf, process::Command};

use multinic_management_api::{
    server::{Options, Server},
    store::DatabaseSettings,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::world::Ran;

/// The cluster of most tests.
pub const CLUSTER: &str = "biz-1";

/// By role.
const TOKENS: [(&str, &str); 3] = [
    ("operator", "operator-token-of-the-test"),
    ("viewer", "viewer-token-of-the-test"),
    ("agent", "agent-token-of-the-test"),
];

pub struct Api {
    runtime: Runtime,
    folder: TempDir,
    pub url: String,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Api {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for (name, token) in TOKENS {
            fs::write(file(name), format!("{token}\n")).unwrap();
        }
        let tokens = json!({"tokens": [
            {"name": "operator", "role": "operator", "providers": ["*"], "tokenFile": file("operator")},
            {"name": "viewer", "role": "viewer", "providers": ["*"], "tokenFile": file("viewer")},
            {"name": "worker-1", "role": "agent", "providers": [CLUSTER], "nodes": ["worker-1"], "tokenFile": file("agent")}]});
        fs::write(file("tokens.yaml"), tokens.to_string()).unwrap();
        let mut api = Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            folder,
            url: String::new(),
            running: None,
        };
        api.serve(0);
        api
    }

    fn serve(&mut self, port: u16) {
        let database = format!("sqlite://{}", self.path("api.db").display());
        let options = Options {
            tokens: Some(self.path("tokens.yaml")),
            ..Options::new((Ipv4Addr::LOCALHOST, port).into(), DatabaseSettings::new(database))
        };
        let shutdown = CancellationToken::new();
        let server = self.runtime.block_on(Server::start(options, shutdown.clone())).unwrap();
        self.url = format!("http://{}", server.address());
        self.running = Some((shutdown, self.runtime.spawn(server.run())));
    }

    /// Ends the server and starts it again at the same address.
    pub fn restart(&mut self) {
        let (shutdown, running) = self.running.take().unwrap();
        shutdown.cancel();
        self.runtime.block_on(running).unwrap();
        let port = self.url.rsplit(':').next().unwrap().parse().unwrap();
        self.serve(port);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends as the operator; fails unless it is taken.
    pub fn send(&self, method: Method, path: &str, cluster: &str, body: &Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .request(method, format!("{}/v1/k8s/multinic/{path}", self.url))
            .bearer_auth(TOKENS[0].1)
            .header("x-provider-id", cluster)
            .json(body);
        let response = self.runtime.block_on(request.send()).unwrap();
        let expected = [StatusCode::OK, StatusCode::CREATED, StatusCode::NO_CONTENT];
        assert!(expected.contains(&response.status()), "{response:?}");
    }

    /// POSTs these nodes.
    pub fn post(&self, cluster: &str, nodes: &[Value]) {
        self.send(Method::POST, "node-configs", cluster, &json!(nodes));
    }

    /// `multinic get ARGS` with the viewer's token.
    pub fn get(&self, args: &[&str]) -> Ran {
        let token = self.path("viewer");
        self.get_with(args, &[("MULTINIC_TOKEN_FILE", token.to_str().unwrap())])
    }

    pub fn get_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let output = self.command(args).envs(env.iter().copied()).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command, without a token.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multinic"));
        for name in [
            "MULTINIC_TOKEN",
            "MULTINIC_TOKEN_FILE",
            "MULTINIC_PROVIDER",
            "MULTINIC_CA_FILE",
            "RUST_LOG",
        ] {
            command.env_remove(name);
        }
        command.arg("get").args(args).env("MULTINIC_SERVER", &self.url);
        command
    }
}

/// Interface `id` of the node with that number.
pub fn interface(node: u32, id: u32, mtu: u32) -> Value {
    json!({"id": id, "macAddress": format!("fa:16:3e:00:{node:02x}:{id:02x}"), "address": format!("10.0.{id}.{node}"),
        "cidr": format!("10.0.{id}.0/24"), "mtu": mtu})
}

/// The node with that number.
pub fn node(number: u32, interfaces: &[Value]) -> Value {
    json!({"nodeName": format!("worker-{number}"), "instanceId": format!("3b0c4d5e-0000-4000-8000-{number:012}"),
        "interfaces": interfaces})
}

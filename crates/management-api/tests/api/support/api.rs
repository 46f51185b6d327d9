//! A server on loopback.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use multinic_management_api::{
    server::{Options, Server},
    store::DatabaseSettings,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database::TestDatabase;

pub const NODES: &str = "/v1/k8s/multinic/node-configs";
pub const PROVIDERS: &str = "/v1/k8s/multinic/providers";

/// Running until dropped.
#[derive(Debug)]
pub struct Api {
    pub address: SocketAddr,
    scheme: &'static str,
    client: reqwest::Client,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
    files: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Api {
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, |_| {}).await
    }

    pub async fn start_with(database: &TestDatabase, change: impl FnOnce(&mut Options)) -> Self {
        Self::start_with_tokens(database, None, change).await
    }

    /// `tokens` is the text of the file.
    pub async fn start_with_tokens(
        database: &TestDatabase,
        tokens: Option<&str>,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        Self::launch(database.settings(), tokens, change).await
    }

    /// On any database.
    pub async fn start_on(database: DatabaseSettings, change: impl FnOnce(&mut Options)) -> Self {
        Self::launch(database, None, change).await
    }

    async fn launch(database: DatabaseSettings, tokens: Option<&str>, change: impl FnOnce(&mut Options)) -> Self {
        let files = tempfile::tempdir().unwrap();
        let mut options = Options::new((Ipv4Addr::LOCALHOST, 0).into(), database);
        if let Some(tokens) = tokens {
            let path = files.path().join("tokens.yaml");
            fs::write(&path, tokens).unwrap();
            options.tokens = Some(path);
        }
        change(&mut options);
        let shutdown = CancellationToken::new();
        let server = Server::start(options, shutdown.clone()).await.unwrap();
        Self {
            address: server.address(),
            scheme: server.scheme(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            shutdown,
            running: tokio::spawn(server.run()),
            files,
        }
    }

    /// The same server, asked by another client.
    pub fn with_client(mut self, client: reqwest::Client) -> Self {
        self.client = client;
        self
    }

    pub const fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Puts another text into the file of tokens, at once as a whole.
    pub fn replace_tokens(&self, tokens: &str) {
        replace(&self.files.path().join("tokens.yaml"), tokens);
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_of("biz-1", method, path)
    }

    pub fn request_of(&self, cluster: &str, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, self.url(path))
            .header("x-provider-id", cluster)
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn post(&self, body: &Value) -> Answer {
        send(self.request(Method::POST, NODES).json(body)).await
    }

    /// A POST of these bytes, said to be JSON.
    pub async fn post_bytes(&self, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .request(Method::POST, NODES)
            .header("content-type", "application/json");
        send(request.body(body)).await
    }

    /// Stops as on a signal and waits for the end.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.running).await.unwrap();
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.running.abort();
    }
}

/// Puts another text into a file, at once as a whole.
pub fn replace(path: &Path, text: &str) {
    let beside = PathBuf::from(format!("{}.new", path.display()));
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

pub async fn send(request: RequestBuilder) -> Answer {
    read(request.send().await.unwrap()).await
}

pub async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer {
        status,
        headers,
        json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

impl Answer {
    /// Status and, of a problem, its lasting name. Fails if an error is anything else than a problem.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], self.status.as_u16());
        let kind = self.json["type"]
            .as_str()
            .unwrap()
            .strip_prefix("urn:multinic:problem:")
            .unwrap();
        (self.status.as_u16(), kind.to_owned())
    }

    /// Which result each node had.
    pub fn results(&self) -> Vec<&str> {
        let results = self.json["results"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        results
            .iter()
            .map(|result| result["status"].as_str().unwrap())
            .collect()
    }

    /// The names of the items.
    pub fn names(&self) -> Vec<&str> {
        let items = self.json["items"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        items.iter().map(|item| item["nodeName"].as_str().unwrap()).collect()
    }
}

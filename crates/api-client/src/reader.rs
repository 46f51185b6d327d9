//! The client itself: settings, addresses, single answers.

use std::{fmt, num::NonZeroU32};

use jiff::Timestamp;
use multinic_model::{ClusterId, NodeName};
use multinic_transport::{Answer, ApiClient, Endpoint, Pauses, RetryPolicy, printable};
use reqwest::{RequestBuilder, header::ACCEPT};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{Pages, Problem, ReadError, Watch};

/// How the management API is reached.
pub struct ReaderSettings {
    /// Its base address; `/v1/k8s/multinic/…` is added.
    pub endpoint: Url,
    /// A bearer token, if it wants one.
    pub token: Option<SecretString>,
    /// Time-out and TLS.
    pub transport: Endpoint,
    /// Attempts and pauses of each request.
    pub retry: RetryPolicy,
}

impl ReaderSettings {
    /// Everything but the address as it is by default.
    pub fn new(endpoint: Url) -> Self {
        Self {
            endpoint,
            token: None,
            transport: Endpoint::default(),
            retry: RetryPolicy::default(),
        }
    }
}

/// Which nodes; everything that is given has to hold. The server judges what it means.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeFilter {
    /// This one.
    pub node_name: Option<String>,
    /// Those of this server.
    pub instance_id: Option<String>,
    /// The one with this MAC address.
    pub mac_address: Option<String>,
    /// The one with this address.
    pub address: Option<String>,
    /// Those whose content changed then or later.
    pub updated_since: Option<Timestamp>,
}

impl NodeFilter {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let since = self.updated_since.as_ref().map(ToString::to_string);
        let all = [
            ("nodeName", self.node_name.clone()),
            ("instanceId", self.instance_id.clone()),
            ("macAddress", self.mac_address.clone()),
            ("address", self.address.clone()),
            ("updatedSince", since),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// A client that reads.
#[derive(Debug)]
pub struct ApiReader {
    pub(crate) api: ApiClient,
}

/// The header that names the cluster.
const PROVIDER_ID: &str = "x-provider-id";

/// The longest answer accepted, in bytes: a page of 1,000 nodes takes about 2 MB.
pub(crate) const MAX_ANSWER: usize = 16 * 1024 * 1024;

impl ApiReader {
    /// Checks the settings; nothing is sent.
    pub fn new(settings: ReaderSettings) -> Result<Self, ReadError> {
        let ReaderSettings {
            endpoint,
            token,
            transport,
            retry,
        } = settings;
        let api = ApiClient::new(endpoint, token.as_ref(), &transport, retry).map_err(ReadError::Settings)?;
        Ok(Self { api })
    }

    /// Spends the pauses between attempts otherwise than by sleeping.
    #[must_use]
    pub fn with_pauses(self, pauses: Pauses) -> Self {
        Self {
            api: self.api.with_pauses(pauses),
        }
    }

    /// The nodes of a cluster that match, by name, in pages of at most `limit`.
    pub fn nodes(&self, cluster: &ClusterId, filter: &NodeFilter, limit: u32) -> Pages<'_> {
        let mut url = self.url(["node-configs"]);
        url.query_pairs_mut().extend_pairs(filter.pairs());
        Pages::new(self, url, Some(cluster.clone()), limit)
    }

    /// One node.
    pub async fn node<T: DeserializeOwned>(&self, cluster: &ClusterId, name: &NodeName) -> Result<T, ReadError> {
        let url = self.url(["node-configs", name.as_str()]);
        self.get(&url, Some(cluster)).await
    }

    /// The history of one node, the newest change first, in pages of at most `limit`.
    pub fn revisions(&self, cluster: &ClusterId, name: &NodeName, limit: u32) -> Pages<'_> {
        let url = self.url(["node-configs", name.as_str(), "revisions"]);
        Pages::new(self, url, Some(cluster.clone()), limit)
    }

    /// The clusters that the token is allowed for, by id, in pages of at most `limit`.
    pub fn providers(&self, limit: u32) -> Pages<'_> {
        Pages::new(self, self.url(["providers"]), None, limit)
    }

    /// The nodes of a cluster, or one of them, and every change from then on.
    pub fn watch(&self, cluster: &ClusterId, node: Option<&NodeName>) -> Watch<'_> {
        let mut url = self.url(["node-configs"]);
        url.query_pairs_mut().append_pair("watch", "true");
        if let Some(node) = node {
            url.query_pairs_mut().append_pair("nodeName", node.as_str());
        }
        Watch::new(self, url, cluster.clone())
    }

    fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        self.api
            .base()
            .join(["v1", "k8s", "multinic"].into_iter().chain(segments))
    }

    /// GETs one JSON answer.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        cluster: Option<&ClusterId>,
    ) -> Result<T, ReadError> {
        let build = |http: &reqwest::Client| named(http.get(url.clone()), cluster).header(ACCEPT, "application/json");
        let answer = self.api.send(NonZeroU32::MAX, MAX_ANSWER, build).await;
        let answer = answer.map_err(|source| ReadError::Unreachable {
            url: url.to_string(),
            source,
        })?;
        if !answer.status.is_success() {
            return Err(self.refusal(url, &answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| ReadError::Answer {
            url: url.to_string(),
            reason: printable(&error.to_string()),
        })
    }

    pub(crate) fn refusal(&self, url: &Url, answer: &Answer) -> ReadError {
        let url = url.to_string();
        if answer.status.is_redirection() {
            return ReadError::Redirected {
                url,
                status: answer.status.as_u16(),
                location: answer.location(),
            };
        }
        let problem = Problem::read(&self.api, answer);
        ReadError::Refused { url, problem }
    }
}

/// With the header that names the cluster.
pub(crate) fn named(request: RequestBuilder, cluster: Option<&ClusterId>) -> RequestBuilder {
    match cluster {
        Some(cluster) => request.header(PROVIDER_ID, cluster.as_str()),
        None => request,
    }
}

impl fmt::Debug for ReaderSettings {
    /// Without the address, which may hold a password until it is checked, and without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderSettings")
            .field("host", &self.endpoint.host_str())
            .field("transport", &self.transport)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

//! The client itself: settings, address, the header that every request carries.

use std::{collections::BTreeMap, fmt, num::NonZeroUsize, sync::atomic::AtomicBool};

use multinic_model::ClusterId;
use multinic_transport::{Answer, ApiClient, Endpoint, Pauses, RetryPolicy};
use reqwest::RequestBuilder;
use secrecy::SecretString;
use url::Url;

use crate::DeliveryError;

/// How the management API is reached.
#[derive(Clone)]
pub struct ManagementApiSettings {
    /// Its base address; `/v1/k8s/multinic/node-configs` is added.
    pub endpoint: Url,
    /// A bearer token, if it wants one.
    pub token: Option<SecretString>,
    /// Time-out and TLS.
    pub transport: Endpoint,
    /// The greatest number of nodes in one POST; 200 by default.
    pub batch_size: NonZeroUsize,
    /// Attempts and pauses of each request.
    pub retry: RetryPolicy,
    /// Whether a server without GET is accepted.
    pub read_back: ReadBack,
}

/// Whether a server without GET is accepted. Without earlier ids an interface may be renumbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReadBack {
    /// 404, 405 or 501 mean that the server has no GET, unless it has answered one before: then they are errors, for
    /// instance of a proxy while the server restarts.
    #[default]
    Auto,
    /// They are errors in any case.
    Required,
}

impl ManagementApiSettings {
    /// Everything but the address as it is by default.
    pub fn new(endpoint: Url) -> Self {
        Self {
            endpoint,
            token: None,
            transport: Endpoint::default(),
            batch_size: NonZeroUsize::MIN.saturating_add(199),
            retry: RetryPolicy::default(),
            read_back: ReadBack::default(),
        }
    }
}

/// A client of the management API.
#[derive(Debug)]
pub struct ManagementApi {
    pub(crate) api: ApiClient,
    pub(crate) url: Url,
    pub(crate) batch_size: NonZeroUsize,
    /// The server is known to have a GET, or has to have one.
    pub(crate) reads_back: AtomicBool,
}

/// The header that names the cluster.
const PROVIDER_ID: &str = "x-provider-id";

impl ManagementApi {
    /// Checks the settings; nothing is sent.
    pub fn new(settings: ManagementApiSettings) -> Result<Self, DeliveryError> {
        let ManagementApiSettings {
            endpoint,
            token,
            transport,
            batch_size,
            retry,
            read_back,
        } = settings;
        let api = ApiClient::new(endpoint, token.as_ref(), &transport, retry).map_err(DeliveryError::Settings)?;
        let url = api.base().join(["v1", "k8s", "multinic", "node-configs"]);
        Ok(Self {
            api,
            url,
            batch_size,
            reads_back: AtomicBool::new(read_back == ReadBack::Required),
        })
    }

    /// Spends the pauses between attempts otherwise than by sleeping.
    #[must_use]
    pub fn with_pauses(self, pauses: Pauses) -> Self {
        Self {
            api: self.api.with_pauses(pauses),
            ..self
        }
    }

    /// How many requests were sent so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.api.requests()
    }

    /// The requests that are over, by class of answer: `2xx`, `3xx`, `4xx`, `5xx`, or `none` when no complete answer came.
    pub fn answers(&self) -> BTreeMap<&'static str, u64> {
        self.api.answers().counts()
    }

    pub(crate) fn for_cluster(request: RequestBuilder, cluster: &ClusterId) -> RequestBuilder {
        request.header(PROVIDER_ID, cluster.as_str())
    }

    /// The error for an answer that is none of those the caller understands.
    pub(crate) fn refusal(&self, method: &'static str, answer: &Answer) -> DeliveryError {
        let url = self.url.to_string();
        let status = answer.status.as_u16();
        if answer.status.is_redirection() {
            return DeliveryError::Redirected {
                method,
                url,
                status,
                location: answer.location(),
            };
        }
        let detail = self.api.detail(answer);
        match status {
            401 | 403 => DeliveryError::Unauthorised {
                method,
                url,
                status,
                detail,
            },
            404 | 405 => DeliveryError::NotOffered {
                method,
                url,
                status,
                detail,
            },
            413 if method == "POST" => DeliveryError::TooLarge { url },
            _ => DeliveryError::Status {
                method,
                url,
                status,
                attempts: answer.attempts,
                detail,
            },
        }
    }
}

impl fmt::Debug for ManagementApiSettings {
    /// Without the address, which may hold a password until it is checked, and without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagementApiSettings")
            .field("host", &self.endpoint.host_str())
            .field("transport", &self.transport)
            .field("batch_size", &self.batch_size)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

//! The client: one GET per provider.

use std::{collections::BTreeMap, fmt, num::NonZeroU32};

use multinic_model::ProviderId;
use multinic_transport::{Answer, ApiClient, Endpoint, Pauses, RetryPolicy};
use reqwest::{StatusCode, header};
use secrecy::SecretString;
use url::Url;

use crate::{ContrabassError, Provider, ProviderPath};

/// How Contrabass is reached.
#[derive(Clone)]
pub struct ContrabassSettings {
    /// Its base address.
    pub endpoint: Url,
    /// Where below it a provider is found.
    pub provider_path: ProviderPath,
    /// A bearer token, if it wants one.
    pub token: Option<SecretString>,
    /// Time-out and TLS.
    pub transport: Endpoint,
}

/// A client of Contrabass. Cheap requests, no cache: who asks decides how often.
#[derive(Debug)]
pub struct Contrabass {
    api: ApiClient,
    path: ProviderPath,
}

/// The longest answer accepted, in bytes. A provider takes about 1 kB.
const MAX_BODY: usize = 1024 * 1024;

impl Contrabass {
    /// Checks the settings; nothing is sent.
    pub fn new(settings: ContrabassSettings) -> Result<Self, ContrabassError> {
        let ContrabassSettings {
            endpoint,
            provider_path,
            token,
            transport,
        } = settings;
        let api = ApiClient::new(endpoint, token.as_ref(), &transport, RetryPolicy::default())
            .map_err(ContrabassError::Settings)?;
        Ok(Self {
            api,
            path: provider_path,
        })
    }

    /// Other attempts and pauses than the default ones; a GET may always be repeated.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self {
            api: self.api.with_retry(retry),
            ..self
        }
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

    /// Asks for one provider.
    pub async fn provider(&self, id: &ProviderId) -> Result<Provider, ContrabassError> {
        let segments = self.path.segments(id);
        let url = self.api.base().join(segments.iter().map(String::as_str));
        let build = |http: &reqwest::Client| http.get(url.clone()).header(header::ACCEPT, "application/json");
        let answer = self.api.send(NonZeroU32::MAX, MAX_BODY, build).await;
        let answer = answer.map_err(|source| ContrabassError::Unreachable {
            url: url.to_string(),
            source,
        })?;
        self.read(url.to_string(), &answer)
    }

    fn read(&self, url: String, answer: &Answer) -> Result<Provider, ContrabassError> {
        let detail = || self.api.detail(answer);
        let status = answer.status.as_u16();
        Err(match answer.status {
            StatusCode::OK => match Provider::from_json(&answer.body) {
                Ok(provider) => return Ok(provider),
                Err(source) => ContrabassError::Answer {
                    url,
                    source: source.map_message(|text| self.api.redact(text)),
                },
            },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ContrabassError::Unauthorised {
                url,
                status,
                detail: detail(),
            },
            StatusCode::NOT_FOUND => ContrabassError::NotFound { url, detail: detail() },
            other if other.is_redirection() => ContrabassError::Redirected {
                url,
                status,
                location: answer.location(),
            },
            _ => ContrabassError::Status {
                url,
                status,
                attempts: answer.attempts,
                detail: detail(),
            },
        })
    }
}

impl fmt::Debug for ContrabassSettings {
    /// Without the address, which may hold a password until it is checked, and without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContrabassSettings")
            .field("host", &self.endpoint.host_str())
            .field("provider_path", &self.provider_path)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

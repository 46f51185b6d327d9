//! Values of settings that have a form of their own.

use std::{collections::BTreeSet, time::Duration};

use multinic_contrabass::ProviderPath;
use multinic_model::inventory::PortStatus;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

/// An `http://` or `https://` URL without a user or password in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpUrl(pub(super) Url);

impl HttpUrl {
    /// The URL itself.
    pub fn url(&self) -> &Url {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let url =
            Url::parse(text).map_err(|error| format!("{text:?} is no URL ({error}); expected https://host[:port]"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL with a user or password in it; put them into a secret".to_owned());
        }
        match url.scheme() {
            "http" | "https" if url.host().is_some() => Ok(Self(url)),
            scheme => Err(format!(
                "{scheme:?} is no scheme for an endpoint; expected https://host[:port] or http://…"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A length of time as people write it: `30s`, `5m`, `1h 30m`; at least one millisecond, at most a week.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span(pub(super) Duration);

impl Span {
    /// The time itself.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bounds = Duration::from_millis(1)..=Duration::from_hours(7 * 24);
        match humantime::parse_duration(&text) {
            Ok(duration) if bounds.contains(&duration) => Ok(Self(duration)),
            _ => Err(D::Error::custom(format!(
                "{text:?} is no length of time; expected 1ms to 7days, such as 30s or 5m"
            ))),
        }
    }
}

/// An empty text means "from the catalog".
pub(super) fn endpoint_override<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HttpUrl>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => HttpUrl::parse(text).map(Some).map_err(D::Error::custom),
    }
}

pub(super) fn provider_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ProviderPath, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

pub(super) fn port_statuses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<PortStatus>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if names.is_empty() {
        return Err(D::Error::custom("the list is empty; no port would ever be taken up"));
    }
    names
        .iter()
        .map(|name| port_status(name).map_err(D::Error::custom))
        .collect()
}

fn port_status(name: &str) -> Result<PortStatus, String> {
    match name.parse() {
        Ok(PortStatus::Unknown) | Err(_) => Err(format!(
            "{name:?} is no port status; expected ACTIVE, DOWN, BUILD or ERROR"
        )),
        Ok(status) => Ok(status),
    }
}

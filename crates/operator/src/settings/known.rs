//! What is known of the objects that are watched.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use secrecy::SecretString;

/// An object that is watched by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Known<T> {
    /// Nothing has come yet.
    #[default]
    NotYet,
    /// The API server does not let us look.
    Refused(String),
    /// There is none.
    Absent,
    /// There it is.
    Present(T),
}

/// As much of the ConfigMap as matters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ConfigText {
    pub uid: Option<String>,
    /// `None`: it lacks the key.
    pub text: Option<String>,
}

/// The referenced keys of a Secret; no other key is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct SecretValues(pub BTreeMap<String, Value>);

/// The value of one key.
#[derive(Clone)]
pub(super) enum Value {
    Text(SecretString),
    Empty,
    NotText,
}

/// The key of the ConfigMap that holds the settings.
pub(super) const SETTINGS_KEY: &str = "config.yaml";

impl ConfigText {
    pub fn of(config_map: ConfigMap) -> Self {
        Self {
            uid: config_map.metadata.uid,
            text: config_map.data.and_then(|mut data| data.remove(SETTINGS_KEY)),
        }
    }
}

impl SecretValues {
    pub fn of(secret: Secret, keys: &BTreeSet<String>) -> Self {
        let data = secret.data.unwrap_or_default();
        let wanted = data.into_iter().filter(|(key, _)| keys.contains(key));
        Self(wanted.map(|(key, bytes)| (key, Value::of(bytes.0))).collect())
    }
}

impl Value {
    /// Files end with a newline that is not part of the secret, also those of `kubectl create secret --from-file`.
    fn of(bytes: Vec<u8>) -> Self {
        let Ok(mut text) = String::from_utf8(bytes) else {
            return Self::NotText;
        };
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text.into())
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "[redacted]",
            Self::Empty => "empty",
            Self::NotText => "not text",
        })
    }
}

//! From what is known to settings that can be used, or the reason why not. Pure, but for `{file: …}` and `{env: …}`.

use std::{collections::BTreeMap, error::Error};

use multinic_sync::settings::{LocalSecrets, SecretError, SecretRef, Secrets, Settings, SettingsError};
use secrecy::{ExposeSecret, SecretString};

use super::{
    known::{ConfigText, Known, SETTINGS_KEY, SecretValues, Value},
    references::references,
    state::{Rejection, RejectionReason},
};

/// Everything that is known of one namespace's settings.
#[derive(Debug)]
pub(super) struct Knowledge {
    pub namespace: String,
    pub name: String,
    pub config: Known<ConfigText>,
    pub secrets: BTreeMap<String, Known<SecretValues>>,
}

/// Settings with all their secrets: whatever is built from them is the same when these are the same.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub settings: Settings,
    pub values: Values,
}

/// Values by reference.
#[derive(Clone, Debug, Default)]
pub(super) struct Values(BTreeMap<SecretRef, SecretString>);

/// What follows from what is known.
#[derive(Debug)]
pub(super) enum Assessment {
    /// Something has not been read yet.
    Wait,
    Rejected(Rejection),
    Good(Box<Content>),
}

/// Why settings are rejected. Each message is one line that says what to do; the chain has the rest.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("there is no ConfigMap {0}; create it with the key {SETTINGS_KEY}")]
    NoConfigMap(String),
    #[error("the ConfigMap {0} has no key {SETTINGS_KEY}; put the settings there")]
    NoKey(String),
    #[error("failed to read the ConfigMap {place}: {reason}; check the operator's Role")]
    ConfigMapRefused { place: String, reason: String },
    #[error("the ConfigMap {place}, key {SETTINGS_KEY}")]
    Settings { place: String, source: SettingsError },
    #[error("there is no managementApi in the settings; add `managementApi: {{endpoint: …}}`")]
    NoManagementApi,
    #[error("failed to use the setting {setting}: there is no Secret {secret}; create it with the key {key}")]
    NoSecret {
        setting: &'static str,
        secret: String,
        key: String,
    },
    #[error("failed to use the setting {setting}: the Secret {secret} {wrong} the key {key}")]
    Key {
        setting: &'static str,
        secret: String,
        key: String,
        wrong: &'static str,
    },
    #[error(
        "failed to use the setting {setting}: the Secret {secret} cannot be read: {reason}; check the operator's Role"
    )]
    SecretRefused {
        setting: &'static str,
        secret: String,
        reason: String,
    },
    #[error("failed to use the setting {setting}")]
    Local { setting: &'static str, source: SecretError },
}

impl Knowledge {
    /// The settings as far as they can be parsed: they say which Secrets to watch.
    pub fn settings(&self) -> Option<Settings> {
        match &self.config {
            Known::Present(config) => Settings::parse(config.text.as_deref()?).ok(),
            _ => None,
        }
    }

    /// The ConfigMap's uid; an API server always gives one.
    pub fn installation(&self) -> String {
        match &self.config {
            Known::Present(ConfigText { uid: Some(uid), .. }) => uid.clone(),
            _ => self.name.clone(),
        }
    }

    pub fn assess(&self) -> Assessment {
        match self.content() {
            Ok(Some(content)) => Assessment::Good(Box::new(content)),
            Ok(None) => Assessment::Wait,
            Err(problem) => Assessment::Rejected(problem.rejection()),
        }
    }

    /// `None`: something has not been read yet.
    fn content(&self) -> Result<Option<Content>, Problem> {
        let place = format!("{}/{}", self.namespace, self.name);
        let text = match &self.config {
            Known::NotYet => return Ok(None),
            Known::Absent => return Err(Problem::NoConfigMap(place)),
            Known::Refused(reason) => {
                let reason = reason.clone();
                return Err(Problem::ConfigMapRefused { place, reason });
            }
            Known::Present(ConfigText { text: None, .. }) => return Err(Problem::NoKey(place)),
            Known::Present(ConfigText { text: Some(text), .. }) => text,
        };
        let settings = Settings::parse(text).map_err(|source| Problem::Settings { place, source })?;
        if settings.management_api.is_none() {
            return Err(Problem::NoManagementApi);
        }
        let values = self.values(&settings)?;
        Ok(values.map(|values| Content { settings, values }))
    }

    fn values(&self, settings: &Settings) -> Result<Option<Values>, Problem> {
        let mut values = BTreeMap::new();
        for (setting, reference) in references(settings) {
            let value = match &reference {
                SecretRef::Kubernetes { name, key } => self.value(setting, name, key)?,
                local => Some(
                    LocalSecrets
                        .fetch(local)
                        .map_err(|source| Problem::Local { setting, source })?,
                ),
            };
            match value {
                Some(value) => values.insert(reference, value),
                None => return Ok(None),
            };
        }
        Ok(Some(Values(values)))
    }

    fn value(&self, setting: &'static str, name: &str, key: &str) -> Result<Option<SecretString>, Problem> {
        let secret = format!("{}/{name}", self.namespace);
        let key = key.to_owned();
        let wrong = |wrong| Problem::Key {
            setting,
            secret: secret.clone(),
            key: key.clone(),
            wrong,
        };
        match self.secrets.get(name).unwrap_or(&Known::NotYet) {
            Known::NotYet => Ok(None),
            Known::Absent => Err(Problem::NoSecret { setting, secret, key }),
            Known::Refused(reason) => Err(Problem::SecretRefused {
                setting,
                secret,
                reason: reason.clone(),
            }),
            Known::Present(values) => match values.0.get(&key) {
                Some(Value::Text(text)) => Ok(Some(text.clone())),
                Some(Value::Empty) => Err(wrong("has nothing in")),
                Some(Value::NotText) => Err(wrong("has something else than UTF-8 text in")),
                None => Err(wrong("lacks")),
            },
        }
    }
}

impl Problem {
    fn rejection(&self) -> Rejection {
        let reason = match self {
            Self::NoConfigMap(_) | Self::NoKey(_) | Self::ConfigMapRefused { .. } => RejectionReason::SettingsMissing,
            _ => RejectionReason::SettingsRejected,
        };
        Rejection::new(reason, self)
    }
}

impl Rejection {
    /// The whole chain of an error in one line.
    pub(super) fn new(reason: RejectionReason, error: &(dyn Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(error), |&error| error.source());
        let messages: Vec<String> = chain.map(ToString::to_string).collect();
        let message = messages.join(": ").split_whitespace().collect::<Vec<_>>().join(" ");
        Self { reason, message }
    }
}

impl Content {
    /// Whether connections built from the one are as good as those built from the other.
    pub fn is_same(&self, other: &Self) -> bool {
        self.settings == other.settings && self.values.exposed().eq(other.values.exposed())
    }
}

impl Values {
    fn exposed(&self) -> impl Iterator<Item = (&SecretRef, &str)> {
        self.0
            .iter()
            .map(|(reference, value)| (reference, value.expose_secret()))
    }
}

impl Secrets for Values {
    fn fetch(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        let value = self.0.get(reference).cloned();
        value.ok_or_else(|| SecretError::NoKubernetes(reference.clone()))
    }
}

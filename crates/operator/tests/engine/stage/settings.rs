//! The settings of a test.

use std::{sync::Arc, time::Duration};

use multinic_lab::{DEMO_ENCRYPTION_KEY, Lab, Receiver};
use multinic_operator::settings::Current;
use multinic_sync::{
    Connections, Pace, Readings,
    readings::ReadingsPace,
    settings::{SecretError, SecretRef, Secrets, Settings, Span},
};
use multinic_transport::RetryPolicy;
use secrecy::SecretString;

/// What a test sets.
#[derive(Clone, Debug)]
pub struct SettingsText {
    /// Between resyncs, shorter than users may set it.
    pub interval: String,
    /// Keys below `sync:`.
    pub sync: String,
    /// Of every request.
    pub timeout: String,
    /// Keys below `rabbitmq:`.
    pub rabbitmq: String,
    /// Contrabass names brokers only here.
    pub announced: bool,
}

impl Default for SettingsText {
    /// No resync before the end of the test, so that only events make anything happen.
    fn default() -> Self {
        Self {
            interval: "1h".to_owned(),
            sync: "confirmationPause: 10ms".to_owned(),
            timeout: "30s".to_owned(),
            rabbitmq: "enabled: false".to_owned(),
            announced: false,
        }
    }
}

struct Key;

impl Secrets for Key {
    fn fetch(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
        Ok(DEMO_ENCRYPTION_KEY.into())
    }
}

/// A version of the settings, in force.
pub fn current(text: &SettingsText, lab: &Lab, receiver: &Receiver, generation: u64) -> Current {
    // All is plain HTTP here; reading the system's certificates for each client would take most of the time.
    let common = format!("timeout: {}, tls: {{insecureSkipVerify: true}}", text.timeout);
    let path = if text.announced {
        "/v1/contrabass/admin/infra/provider/{id}"
    } else {
        "/api/providers/{id}"
    };
    let yaml = format!(
        "contrabass: {{endpoint: '{}', providerPath: '{path}', {common}, password: {{key: {{env: KEY}}}}}}\n\
         openstack: {{requestsPerSecond: 100000, {common}}}\n\
         managementApi: {{endpoint: '{}', {common}}}\n\
         sync: {{{}}}\n\
         rabbitmq: {{{}}}\n",
        lab.contrabass_url(),
        receiver.url(),
        text.sync,
        text.rabbitmq,
    );
    let mut settings = Settings::parse(&yaml).unwrap();
    settings.sync.interval = span(&text.interval);
    let connections = Arc::new(Connections::with_pace(&settings, &Key, &pace()).unwrap());
    let readings = ReadingsPace {
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(200),
        account_life: Duration::from_millis(1),
        ..ReadingsPace::default()
    };
    Current {
        readings: Readings::new(Arc::clone(&connections), readings),
        connections,
        settings,
        installation: "test".to_owned(),
        generation,
    }
}

/// A length of time that need not be a sensible interval.
fn span(text: &str) -> Span {
    let yaml = format!(
        "contrabass: {{endpoint: 'http://c', password: {{key: {{env: KEY}}}}}}\nsync: {{deletionTimeout: {text}}}"
    );
    Settings::parse(&yaml).unwrap().sync.deletion_timeout
}

/// The usual tries with hardly any pauses.
fn pace() -> Pace {
    let brief = RetryPolicy {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        retry_after_cap: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    Pace {
        contrabass: brief,
        openstack: multinic_cloud::RetryPolicy {
            budget: Duration::from_secs(2),
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(2),
            ..multinic_cloud::RetryPolicy::default()
        },
        management_api: brief,
        ..Pace::default()
    }
}

//! `rabbitmq:`: which broker, as whom, and what is listened to.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive, path::PathBuf, time::Duration};

use multinic_model::Broker;
use multinic_notifications::{Binding, QueueKind};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use super::{SecretRef, SettingsError, Span, TlsSection};

/// `rabbitmq:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RabbitmqSection {
    /// `auto`: when Contrabass or `brokers` names a broker.
    pub enabled: RabbitmqEnabled,
    /// For every provider, instead of what Contrabass names. With `user` and `password`, or not at all.
    #[serde(deserialize_with = "brokers")]
    pub brokers: Vec<Broker>,
    /// As whom; empty: what Contrabass names.
    pub user: String,
    /// Its password.
    pub password: Option<SecretRef>,
    /// The virtual host of bindings that name none.
    #[serde(deserialize_with = "vhost")]
    pub vhost: String,
    /// How long a silent broker is believed to be there; from 2 seconds to 10 minutes, whole seconds.
    pub heartbeat: Span,
    /// Whether and how TLS is spoken.
    pub tls: RabbitmqTlsSection,
    /// Our own queue.
    pub queue: QueueSection,
    /// What it is bound to.
    pub bindings: Vec<BindingSection>,
    /// Messages that are under way and not acknowledged, from 1 to 10,000.
    pub prefetch: u16,
}

impl Default for RabbitmqSection {
    fn default() -> Self {
        Self {
            enabled: RabbitmqEnabled::default(),
            brokers: Vec::new(),
            user: String::new(),
            password: None,
            vhost: "/".to_owned(),
            heartbeat: Span(Duration::from_secs(15)),
            tls: RabbitmqTlsSection::default(),
            queue: QueueSection::default(),
            bindings: vec![
                BindingSection::new("nova", &["notifications.info", "versioned_notifications.info"]),
                BindingSection::new("neutron", &["notifications.info"]),
            ],
            prefetch: 200,
        }
    }
}

/// `rabbitmq.enabled`: `auto`, `true` or `false`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RabbitmqEnabled {
    /// When a broker is known.
    #[default]
    Auto,
    /// Always; it is an error if no broker is known.
    Always,
    /// Never.
    Never,
}

impl<'de> Deserialize<'de> for RabbitmqEnabled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Self::Always),
            Value::Bool(false) => Ok(Self::Never),
            Value::String(text) if text == "auto" => Ok(Self::Auto),
            other => Err(D::Error::custom(format!(
                "{other} is not understood; expected `auto`, true or false"
            ))),
        }
    }
}

/// `rabbitmq.tls:`
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RabbitmqTlsSection {
    /// TLS with every broker. Otherwise only with one that is written `amqps://…` or listens on 5671.
    pub required: bool,
    /// A PEM bundle, trusted in addition to the system's roots.
    pub ca_file: Option<PathBuf>,
    /// The same from a Kubernetes Secret.
    pub ca_secret: Option<SecretRef>,
    /// Checks nothing.
    pub insecure_skip_verify: bool,
}

impl RabbitmqTlsSection {
    /// How a certificate is checked, in the words of the other sections.
    pub(crate) fn checks(&self) -> TlsSection {
        TlsSection {
            ca_file: self.ca_file.clone(),
            ca_secret: self.ca_secret.clone(),
            insecure_skip_verify: self.insecure_skip_verify,
        }
    }
}

/// `rabbitmq.queue:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct QueueSection {
    /// Its name, to which the provider's id is added; empty: made from the installation's id.
    #[serde(deserialize_with = "queue_name")]
    pub name: String,
    /// `classic` or `quorum`.
    #[serde(rename = "type")]
    pub kind: QueueKindName,
    /// Messages in it, from 100 to 1,000,000; the oldest are dropped.
    pub max_length: u32,
    /// For so long a message waits; from 10 seconds to a day.
    #[serde(rename = "messageTTL")]
    pub message_ttl: Span,
    /// A queue that nobody has listened to for this long is deleted; from a minute to a week.
    pub expires: Span,
}

impl Default for QueueSection {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: QueueKindName::default(),
            max_length: 50_000,
            message_ttl: Span(Duration::from_mins(10)),
            expires: Span(Duration::from_hours(24)),
        }
    }
}

/// `rabbitmq.queue.type`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueKindName {
    /// On one node.
    #[default]
    Classic,
    /// Replicated.
    Quorum,
}

impl From<QueueKindName> for QueueKind {
    fn from(name: QueueKindName) -> Self {
        match name {
            QueueKindName::Classic => Self::Classic,
            QueueKindName::Quorum => Self::Quorum,
        }
    }
}

/// One of `rabbitmq.bindings:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindingSection {
    /// The service's exchange (`control_exchange`).
    #[serde(deserialize_with = "exchange")]
    pub exchange: String,
    /// `TOPIC.PRIORITY` each.
    #[serde(deserialize_with = "routing_keys")]
    pub routing_keys: BTreeSet<String>,
    /// Where the exchange is; absent: `rabbitmq.vhost`.
    #[serde(default, deserialize_with = "some_vhost")]
    pub vhost: Option<String>,
}

impl BindingSection {
    fn new(exchange: &str, routing_keys: &[&str]) -> Self {
        Self {
            exchange: exchange.to_owned(),
            routing_keys: routing_keys.iter().map(|&key| key.to_owned()).collect(),
            vhost: None,
        }
    }

    /// One for each routing key.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = Binding> + '_ {
        self.routing_keys.iter().map(|key| Binding {
            exchange: self.exchange.clone(),
            routing_key: key.clone(),
        })
    }
}

/// The most brokers, and the most bindings; one of OpenStack has a handful.
const MAX_ENTRIES: usize = 32;

/// `.<provider id>` of up to 129 bytes is added, and RabbitMQ takes 255.
const MAX_QUEUE_NAME: usize = 120;

/// What oslo.messaging sends notifications as.
const PRIORITIES: [&str; 7] = ["audit", "debug", "info", "warn", "error", "critical", "sample"];

impl RabbitmqSection {
    /// What one value alone does not show.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        self.check_account()?;
        let count = self.bindings.len();
        if !(1..=MAX_ENTRIES).contains(&count) {
            let none = "the list is empty, nothing would be heard; expected at least one, or `enabled: false`";
            let many = format!("{count} are too many; expected at most {MAX_ENTRIES}");
            return Err(wrong("bindings", if count == 0 { none.to_owned() } else { many }));
        }
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        let (hour, queue) = (Duration::from_hours(1), &self.queue);
        time("heartbeat", self.heartbeat, 2 * second..=10 * minute)?;
        if self.heartbeat.duration().subsec_nanos() > 0 {
            return Err(wrong("heartbeat", "expected whole seconds, such as 15s".to_owned()));
        }
        number("prefetch", self.prefetch, 1..=10_000)?;
        number("queue.maxLength", queue.max_length, 100..=1_000_000)?;
        time("queue.messageTTL", queue.message_ttl, 10 * second..=24 * hour)?;
        time("queue.expires", queue.expires, minute..=7 * 24 * hour)
    }

    /// Half of an account would silently be mixed with what Contrabass names.
    fn check_account(&self) -> Result<(), SettingsError> {
        let given = [
            ("brokers", !self.brokers.is_empty()),
            ("user", !self.user.is_empty()),
            ("password", self.password.is_some()),
        ];
        match given.iter().find(|(_, given)| !given) {
            Some((missing, _)) if given.iter().any(|(_, given)| *given) => Err(wrong(
                missing,
                "missing; brokers, user and password go together, or none of them: then Contrabass names them"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

fn wrong(key: &str, problem: String) -> SettingsError {
    SettingsError::Value {
        path: format!("rabbitmq.{key}"),
        problem,
    }
}

fn time(key: &str, found: Span, allowed: RangeInclusive<Duration>) -> Result<(), SettingsError> {
    if allowed.contains(&found.duration()) {
        return Ok(());
    }
    let [found, least, most] = [found.duration(), *allowed.start(), *allowed.end()].map(humantime::format_duration);
    Err(wrong(
        key,
        format!("{found} is out of bounds; expected {least} to {most}"),
    ))
}

fn number<N: Copy + PartialOrd + fmt::Display>(
    key: &str,
    found: N,
    allowed: RangeInclusive<N>,
) -> Result<(), SettingsError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let (least, most) = allowed.into_inner();
    Err(wrong(
        key,
        format!("{found} is out of bounds; expected {least} to {most}"),
    ))
}

fn brokers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Broker>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.len() > MAX_ENTRIES {
        let problem = format!("{} are too many; expected at most {MAX_ENTRIES}", texts.len());
        return Err(D::Error::custom(problem));
    }
    texts
        .iter()
        .map(|text| broker(text).map_err(D::Error::custom))
        .collect()
}

fn broker(text: &str) -> Result<Broker, String> {
    if text.contains('@') {
        return Err(
            "an address with a user or password in it; they go into rabbitmq.user and rabbitmq.password".to_owned(),
        );
    }
    text.parse()
        .map_err(|_| format!("{text:?} is no broker; expected host:port, or amqps://host:port for TLS"))
}

fn vhost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let usual = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    if usual {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "{text:?} is no virtual host; expected 1 to 255 bytes, such as /"
    )))
}

fn some_vhost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    vhost(deserializer).map(Some)
}

fn queue_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() <= MAX_QUEUE_NAME && text.bytes().all(|b| b.is_ascii_graphic()) && !text.starts_with("amq.") {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "{text:?} is no name for a queue; expected at most {MAX_QUEUE_NAME} visible ASCII characters that do not begin with \
         \"amq.\", RabbitMQ's own; empty: made from the installation's id"
    )))
}

fn exchange<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if (1..=127).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "{text:?} is no exchange; expected 1 to 127 visible ASCII characters, such as nova"
    )))
}

fn routing_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let texts = BTreeSet::<String>::deserialize(deserializer)?;
    if !(1..=MAX_ENTRIES).contains(&texts.len()) {
        return Err(D::Error::custom(format!(
            "{} routing keys; expected 1 to {MAX_ENTRIES}",
            texts.len()
        )));
    }
    match texts.iter().find(|text| !is_of_notifications(text)) {
        None => Ok(texts),
        Some(text) => Err(D::Error::custom(format!(
            "{text:?} is no routing key of notifications; expected TOPIC.PRIORITY without wildcards, such as \
             notifications.info: the services use the same exchanges for their RPC, which must not be caught"
        ))),
    }
}

/// A topic and a priority. RPC has the name of a service alone or with a host (`compute.host-1`), which no priority is.
fn is_of_notifications(text: &str) -> bool {
    let Some((topic, priority)) = text.rsplit_once('.') else {
        return false;
    };
    let usual = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !topic.is_empty() && text.len() <= 127 && topic.bytes().all(usual) && PRIORITIES.contains(&priority)
}

#[cfg(test)]
mod tests {
    use crate::settings::{Settings, SettingsError};

    use super::*;

    const MINIMAL: &str = "contrabass: {endpoint: 'https://c.example.com', password: {key: {env: KEY}}}\n";

    fn section(text: &str) -> Result<RabbitmqSection, SettingsError> {
        Settings::parse(&format!("{MINIMAL}rabbitmq: {text}\n")).map(|settings| settings.rabbitmq)
    }

    #[test]
    fn what_is_written_out_here_is_the_default() {
        let written = section(
            "{enabled: auto, brokers: [], user: '', vhost: /, heartbeat: 15s, tls: {required: false}, \
             queue: {name: '', type: classic, maxLength: 50000, messageTTL: 10m, expires: 24h}, prefetch: 200, \
             bindings: [{exchange: nova, routingKeys: [notifications.info, versioned_notifications.info]}, \
             {exchange: neutron, routingKeys: [notifications.info]}]}",
        );
        assert_eq!(written.unwrap(), section("{}").unwrap());
    }

    #[test]
    fn everything_can_be_set() {
        let section = section(
            "{enabled: true, brokers: ['a:5672', 'amqps://[fd00::1]:5671'], user: multinic, password: {env: PW}, \
             vhost: openstack, heartbeat: 10m, tls: {required: true, caFile: /ca.pem, insecureSkipVerify: true}, \
             queue: {name: ours, type: quorum, maxLength: 100, messageTTL: 10s, expires: 7d}, prefetch: 10000, \
             bindings: [{exchange: openstack, routingKeys: [my.topic.error], vhost: nova}]}",
        )
        .unwrap();
        assert_eq!(format!("{:?}", section.brokers), "[a:5672, [fd00::1]:5671]");
        assert_eq!(QueueKind::from(section.queue.kind), QueueKind::Quorum);
        assert_eq!(section.bindings[0].vhost.as_deref(), Some("nova"));
        assert!(section.tls.checks().insecure_skip_verify);
    }

    #[test]
    fn every_error_names_the_path_and_what_is_allowed() {
        let key = |key: &str| format!("{{bindings: [{{exchange: nova, routingKeys: ['{key}']}}]}}");
        let rpc = "must not be caught";
        let keys = "rabbitmq.bindings[0].routingKeys";
        for (text, place, allowed) in [
            ("{enabled: maybe}", "rabbitmq.enabled", "`auto`"),
            ("{brokers: ['a:b']}", "rabbitmq.brokers", "expected host:port"),
            (
                "{brokers: ['u:hidden@a:1']}",
                "rabbitmq.brokers",
                "into rabbitmq.user and rabbitmq.password",
            ),
            ("{brokers: ['a:1']}", "rabbitmq.user", "go together"),
            ("{user: u, password: {env: PW}}", "rabbitmq.brokers", "go together"),
            ("{brokers: ['a:1'], user: u}", "rabbitmq.password", "go together"),
            (
                "{brokers: ['a:1'], user: u, password: hidden}",
                "rabbitmq.password",
                "expected {secret: NAME",
            ),
            ("{vhost: ''}", "rabbitmq.vhost", "1 to 255"),
            ("{heartbeat: 1s}", "rabbitmq.heartbeat", "expected 2s to 10m"),
            ("{heartbeat: 11m}", "rabbitmq.heartbeat", "expected 2s to 10m"),
            ("{heartbeat: 2500ms}", "rabbitmq.heartbeat", "whole seconds"),
            ("{prefetch: 0}", "rabbitmq.prefetch", "expected 1 to 10000"),
            ("{prefetch: 70000}", "rabbitmq.prefetch", "u16"),
            ("{tls: {require: true}}", "rabbitmq.tls.require", "`required`"),
            ("{queue: {type: stream}}", "rabbitmq.queue.type", "`classic`"),
            ("{queue: {name: amq.x}}", "rabbitmq.queue.name", "visible ASCII"),
            ("{queue: {name: 'a b'}}", "rabbitmq.queue.name", "visible ASCII"),
            (
                "{queue: {maxLength: 99}}",
                "rabbitmq.queue.maxLength",
                "expected 100 to 1000000",
            ),
            ("{queue: {messageTTL: 9s}}", "rabbitmq.queue.messageTTL", "10s to 1day"),
            ("{queue: {messageTtl: 1m}}", "rabbitmq.queue.messageTtl", "`messageTTL`"),
            ("{queue: {expires: 59s}}", "rabbitmq.queue.expires", "1m to 7days"),
            ("{bindings: []}", "rabbitmq.bindings", "`enabled: false`"),
            (
                "{bindings: [{exchange: '', routingKeys: [notifications.info]}]}",
                "rabbitmq.bindings[0].exchange",
                "such as nova",
            ),
            (
                "{bindings: [{exchange: nova, routingKeys: []}]}",
                keys,
                "expected 1 to 32",
            ),
            (&key("#"), keys, rpc),
            (&key("notifications.#"), keys, rpc),
            (&key("*.info"), keys, rpc),
            (&key("notifications.*"), keys, rpc),
            (&key("compute"), keys, rpc),
            (&key("compute.host-1"), keys, rpc),
            (&key(".info"), keys, rpc),
        ] {
            let error = section(text).unwrap_err();
            let SettingsError::Value { path, problem } = &error else {
                panic!("{error}")
            };
            assert_eq!(path, place, "{text}: {problem}");
            assert!(problem.contains(allowed), "{text}: {problem}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}

//! The RabbitMQ attributes of a provider. They only accelerate (rule 8), so nothing wrong in them is an error.

use std::{fmt, str::FromStr};

use serde_json::Value;

use crate::EncryptedText;

/// How a provider's notifications are reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RabbitMq {
    /// `rabbitMQId`.
    pub user: String,
    /// `rabbitMQPw`, encrypted like the administrator's password.
    pub password: EncryptedText,
    /// `rabbitMQUrls`: at least one.
    pub brokers: Vec<Broker>,
}

/// A broker's host and port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broker {
    /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// 5672 if none was given.
    pub port: u16,
}

/// A text that names no broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a broker's address: expected host:port")]
pub struct BrokerError;

/// AMQP without TLS.
const DEFAULT_PORT: u16 = 5672;

impl RabbitMq {
    /// From `data.attributes`; `None` unless user, password and at least one broker are there.
    pub(crate) fn from_attributes(attributes: &Value) -> Option<Self> {
        let text = |key: &str| {
            attributes
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.trim().is_empty())
        };
        let brokers = brokers(attributes.get("rabbitMQUrls")?);
        if brokers.is_empty() {
            return None;
        }
        Some(Self {
            user: text("rabbitMQId")?.to_owned(),
            password: EncryptedText::new(text("rabbitMQPw")?),
            brokers,
        })
    }
}

/// A list of texts, or one text with commas. Entries that name no broker are left out: the others may do.
fn brokers(urls: &Value) -> Vec<Broker> {
    let texts: Vec<&str> = match urls {
        Value::Array(urls) => urls.iter().filter_map(Value::as_str).collect(),
        Value::String(urls) => urls.split(',').collect(),
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(|text| text.parse().ok()).collect()
}

impl FromStr for Broker {
    type Err = BrokerError;

    fn from_str(text: &str) -> Result<Self, BrokerError> {
        let text = text.trim();
        let text = text.strip_prefix("amqp://").unwrap_or(text).trim_end_matches('/');
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(BrokerError)?,
            None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| BrokerError)?,
            None if port.is_empty() => DEFAULT_PORT,
            _ => return Err(BrokerError),
        };
        let usual = |b: u8| b.is_ascii_alphanumeric() || b".-_:".contains(&b);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(usual) || port == 0 {
            return Err(BrokerError);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only an IPv6 address has a colon; its brackets tell it from the port.
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn brokers_are_read_with_and_without_port() {
        for (text, expected) in [
            ("10.0.0.1:5672", "10.0.0.1:5672"),
            ("rabbit-1.example.com", "rabbit-1.example.com:5672"),
            (" amqp://rabbit:5673/ ", "rabbit:5673"),
            ("[fd00::1]:5672", "[fd00::1]:5672"),
            ("[fd00::1]", "[fd00::1]:5672"),
        ] {
            assert_eq!(text.parse::<Broker>().unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "",
            ":5672",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:b",
            "a b:1",
            "user:pw@a:1",
            "[fd00::1",
            "[x]y",
            "a:1:2",
        ] {
            assert!(text.parse::<Broker>().is_err(), "{text}");
        }
    }

    #[test]
    fn anything_incomplete_is_no_rabbitmq() {
        let whole = json!({"rabbitMQId": "openstack", "rabbitMQPw": "x", "rabbitMQUrls": ["a:1", "?", null, "b"]});
        let rabbitmq = RabbitMq::from_attributes(&whole).unwrap();
        assert_eq!(format!("{:?}", rabbitmq.brokers), "[a:1, b:5672]");
        for (key, value) in [
            ("rabbitMQId", json!(null)),
            ("rabbitMQId", json!(" ")),
            ("rabbitMQPw", json!(7)),
            ("rabbitMQUrls", json!(null)),
            ("rabbitMQUrls", json!([])),
            ("rabbitMQUrls", json!({"a": 1})),
            ("rabbitMQUrls", json!(["?"])),
        ] {
            let mut part = whole.clone();
            part[key] = value;
            assert_eq!(RabbitMq::from_attributes(&part), None, "{part}");
        }
        assert_eq!(RabbitMq::from_attributes(&json!({})), None);
    }

    #[test]
    fn the_urls_may_be_one_text() {
        let attributes = json!({"rabbitMQId": "openstack", "rabbitMQPw": "x", "rabbitMQUrls": "a:1,b:2"});
        assert_eq!(RabbitMq::from_attributes(&attributes).unwrap().brokers.len(), 2);
    }
}

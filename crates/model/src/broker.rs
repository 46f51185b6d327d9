//! Where a message broker listens.

use std::{fmt, str::FromStr};

/// A message broker's address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broker {
    /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// 5672 if none was given; 5671 with TLS.
    pub port: u16,
    /// Whether it is spoken to over TLS: an `amqps://` address, or the port that is registered for that.
    pub tls: bool,
}

/// A text that names no broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a broker's address: expected host:port")]
pub struct BrokerError;

/// AMQP without TLS, as registered.
const DEFAULT_PORT: u16 = 5672;

/// AMQP over TLS, as registered.
const DEFAULT_TLS_PORT: u16 = 5671;

impl FromStr for Broker {
    type Err = BrokerError;

    fn from_str(text: &str) -> Result<Self, BrokerError> {
        let text = text.trim().trim_end_matches('/');
        let (text, asks_for_tls) = match text.strip_prefix("amqps://") {
            Some(text) => (text, true),
            None => (text.strip_prefix("amqp://").unwrap_or(text), false),
        };
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(BrokerError)?,
            None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| BrokerError)?,
            None if port.is_empty() && asks_for_tls => DEFAULT_TLS_PORT,
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
            tls: asks_for_tls || port == DEFAULT_TLS_PORT,
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
    use super::*;

    #[test]
    fn brokers_are_read_with_and_without_port() {
        for (text, expected) in [
            ("10.0.0.1:5672", "10.0.0.1:5672"),
            ("rabbit-1.example.com", "rabbit-1.example.com:5672"),
            (" amqp://rabbit:5673/ ", "rabbit:5673"),
            ("[fd00::1]:5672", "[fd00::1]:5672"),
            ("[fd00::1]", "[fd00::1]:5672"),
            ("amqps://rabbit", "rabbit:5671"),
            ("amqps://rabbit:5672", "rabbit:5672"),
            ("rabbit:5671", "rabbit:5671"),
        ] {
            let broker: Broker = text.parse().unwrap();
            assert_eq!(broker.to_string(), expected, "{text}");
            assert_eq!(broker.tls, text.contains("amqps") || text.contains("5671"), "{text}");
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
}

//! What an error of the client library means for a link.

use std::time::Duration;

use lapin::{ErrorKind, protocol::AMQPError};
use multinic_model::Broker;
use multinic_transport::printable;

use crate::{LinkError, LinkSettings};

/// AMQP's own codes, as RabbitMQ uses them.
mod code {
    pub const INVALID_PATH: u16 = 402;
    pub const ACCESS_REFUSED: u16 = 403;
    pub const NOT_FOUND: u16 = 404;
    pub const RESOURCE_LOCKED: u16 = 405;
    pub const PRECONDITION_FAILED: u16 = 406;
    pub const NOT_ALLOWED: u16 = 530;
}

/// What went wrong, with the broker's code if it was the broker who said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    code: Option<u16>,
    reason: String,
}

impl From<lapin::Error> for Failure {
    fn from(error: lapin::Error) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(said) => Self::said(said),
            ErrorKind::IOError(cause) => Self::seen(&cause.to_string()),
            _ => Self::seen(&error.to_string()),
        }
    }
}

impl Failure {
    fn said(error: &AMQPError) -> Self {
        Self {
            code: Some(error.get_id()),
            reason: printable(error.get_message().as_str()),
        }
    }

    fn seen(reason: &str) -> Self {
        Self {
            code: None,
            reason: printable(reason),
        }
    }

    /// No answer in time.
    pub fn silent(within: Duration) -> Self {
        Self::seen(&format!("no answer within {} s", within.as_secs_f64()))
    }

    /// Whether what was asked for does not exist.
    pub fn is_absence(&self) -> bool {
        self.code == Some(code::NOT_FOUND)
    }

    /// Until the virtual host is open.
    pub fn of_login(self, broker: &Broker, settings: &LinkSettings) -> LinkError {
        let broker = broker.clone();
        match self.code {
            Some(code::ACCESS_REFUSED) => LinkError::LoginRefused {
                broker,
                user: settings.user.clone(),
            },
            Some(code::NOT_ALLOWED | code::INVALID_PATH) => self.forbidden(broker, settings),
            _ => LinkError::Unreachable {
                broker,
                reason: self.reason,
            },
        }
    }

    /// While queue and bindings are made.
    pub fn of_topology(self, broker: &Broker, settings: &LinkSettings) -> LinkError {
        match self.code {
            Some(code::ACCESS_REFUSED) => self.forbidden(broker.clone(), settings),
            Some(code::PRECONDITION_FAILED | code::RESOURCE_LOCKED) => LinkError::QueueMismatch {
                queue: settings.queue.name.clone(),
                reason: self.reason,
            },
            _ => self.of_listening(broker),
        }
    }

    /// While messages come.
    pub fn of_listening(self, broker: &Broker) -> LinkError {
        LinkError::Broken {
            broker: broker.clone(),
            reason: self.reason,
        }
    }

    fn forbidden(self, broker: Broker, settings: &LinkSettings) -> LinkError {
        LinkError::Forbidden {
            broker,
            vhost: settings.vhost.clone(),
            reason: self.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LinkPace, QueueKind, QueueSettings};

    fn settings() -> LinkSettings {
        LinkSettings {
            brokers: vec!["a".parse().unwrap()],
            vhost: "/".to_owned(),
            user: "multinic".to_owned(),
            password: "secret".to_owned().into(),
            tls: multinic_transport::Tls::default(),
            connection_name: String::new(),
            heartbeat: Duration::from_mins(1),
            queue: QueueSettings {
                name: "q".to_owned(),
                kind: QueueKind::Classic,
                max_length: 1,
                message_ttl: Duration::from_mins(1),
                expires: Duration::from_mins(1),
            },
            bindings: Vec::new(),
            prefetch: 1,
            pace: LinkPace::default(),
        }
    }

    fn said(code: u16) -> Failure {
        let error = AMQPError::from_id(code, "WHY - said\u{7} so".into()).unwrap();
        lapin::Error::from(ErrorKind::ProtocolError(error)).into()
    }

    #[test]
    fn what_a_code_means_depends_on_what_was_asked() {
        let settings = settings();
        let broker = &settings.brokers[0];
        for (code, login, topology) in [
            (402, "forbidden", "broken"),
            (403, "login-refused", "forbidden"),
            (404, "unreachable", "broken"),
            (405, "unreachable", "queue-mismatch"),
            (406, "unreachable", "queue-mismatch"),
            (320, "unreachable", "broken"),
            (530, "forbidden", "broken"),
            (541, "unreachable", "broken"),
        ] {
            assert_eq!(said(code).of_login(broker, &settings).category(), login, "{code}");
            assert_eq!(said(code).of_topology(broker, &settings).category(), topology, "{code}");
            assert_eq!(said(code).of_listening(broker).category(), "broken");
            assert_eq!(said(code).is_absence(), code == 404);
        }
    }

    #[test]
    fn a_reason_is_one_printable_line() {
        let settings = settings();
        let error = said(406).of_topology(&settings.brokers[0], &settings);
        assert_eq!(
            error.to_string(),
            "failed to declare the queue q: WHY - said so; delete it, or give rabbitmq.queue.name another value"
        );
        let cause = std::io::Error::other("reset\nby peer");
        let error = Failure::from(lapin::Error::from(cause)).of_listening(&settings.brokers[0]);
        assert_eq!(
            error.to_string(),
            "failed to go on listening to the broker a:5672: reset by peer"
        );
    }
}

//! Announcements: a recorded message with other ids in it. No IO.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    objects::{AnnouncedNetwork, AnnouncedPort, AnnouncedServer, AnnouncedSubnet},
    template::Template,
};
use crate::ids;

/// What a service announces, and where.
#[derive(Clone, Debug)]
pub struct Announcement {
    exchange: String,
    routing_key: String,
    message: Value,
}

/// In which of its two formats Nova announces; with `notification_format = both` it does so twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NovaFormat {
    /// `compute.instance.*`
    Unversioned,
    /// `instance.*`
    Versioned,
}

/// What happened to a server, that is announced in both formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerEvent {
    /// It was made.
    Created,
    /// It was renamed, or its metadata or state changed.
    Updated,
    /// It was deleted.
    Deleted,
    /// It was powered off: of no interest to anybody who asks for ports.
    PoweredOff,
}

impl ServerEvent {
    const fn template(self, format: NovaFormat) -> Template {
        match (self, format) {
            (Self::Created, NovaFormat::Unversioned) => Template::SERVER_CREATED,
            (Self::Created, NovaFormat::Versioned) => Template::VERSIONED_SERVER_CREATED,
            (Self::Updated, NovaFormat::Unversioned) => Template::SERVER_UPDATED,
            (Self::Updated, NovaFormat::Versioned) => Template::VERSIONED_SERVER_UPDATED,
            (Self::Deleted, NovaFormat::Unversioned) => Template::SERVER_DELETED,
            (Self::Deleted, NovaFormat::Versioned) => Template::VERSIONED_SERVER_DELETED,
            (Self::PoweredOff, NovaFormat::Unversioned) => Template::SERVER_POWERED_OFF,
            (Self::PoweredOff, NovaFormat::Versioned) => Template::VERSIONED_SERVER_POWERED_OFF,
        }
    }
}

impl Announcement {
    fn from_template(template: Template, write: impl FnOnce(&mut Value)) -> Self {
        let recorded = template.read();
        let mut message = recorded.message();
        write(&mut message["payload"]);
        Self {
            exchange: recorded.exchange,
            routing_key: recorded.routing_key,
            message,
        }
    }

    /// `port.create.end`
    pub fn port_created(port: &AnnouncedPort) -> Self {
        Self::from_template(Template::PORT_CREATED, |payload| port.write(&mut payload["port"]))
    }

    /// `port.create.end` of a bulk request.
    pub fn ports_created(ports: &[AnnouncedPort]) -> Self {
        Self::from_template(Template::PORTS_CREATED, |payload| {
            let recorded = payload["ports"][0].clone();
            let one = |port: &AnnouncedPort| {
                let mut value = recorded.clone();
                port.write(&mut value);
                value
            };
            payload["ports"] = ports.iter().map(one).collect();
        })
    }

    /// `port.update.end`: plugged in, taken out, or changed where it is.
    pub fn port_updated(port: &AnnouncedPort) -> Self {
        let template = if port.device.is_empty() {
            Template::PORT_UNBOUND
        } else {
            Template::PORT_BOUND
        };
        Self::from_template(template, |payload| port.write(&mut payload["port"]))
    }

    /// `port.delete.end`, with the port as it was.
    pub fn port_deleted(port: &AnnouncedPort) -> Self {
        Self::from_template(Template::PORT_DELETED, |payload| {
            port.write(&mut payload["port"]);
            payload["port_id"] = port.id.as_str().into();
        })
    }

    /// `subnet.update.end`
    pub fn subnet_updated(subnet: &AnnouncedSubnet) -> Self {
        Self::from_template(Template::SUBNET_UPDATED, |payload| subnet.write(&mut payload["subnet"]))
    }

    /// `network.update.end`
    pub fn network_updated(network: &AnnouncedNetwork) -> Self {
        Self::from_template(Template::NETWORK_UPDATED, |payload| {
            network.write(&mut payload["network"]);
        })
    }

    /// What happened to a server.
    pub fn server(event: ServerEvent, format: NovaFormat, server: &AnnouncedServer) -> Self {
        Self::from_template(event.template(format), |payload| server.write(payload))
    }

    /// `instance.interface_attach.end`; there is no unversioned one.
    pub fn interface_attached(server: &AnnouncedServer) -> Self {
        Self::from_template(Template::INTERFACE_ATTACHED, |payload| server.write(payload))
    }

    /// `instance.interface_detach.end`; there is no unversioned one.
    pub fn interface_detached(server: &AnnouncedServer) -> Self {
        Self::from_template(Template::INTERFACE_DETACHED, |payload| server.write(payload))
    }

    /// Gives it the ids of the `number`-th message, and the time at which it is sent, in oslo.messaging's own form.
    #[must_use]
    pub fn stamped(mut self, number: u64, at: Timestamp) -> Self {
        let time = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.6f").to_string();
        for (key, text) in [
            ("message_id", &*ids::uuid("message", number)),
            ("_unique_id", &*ids::hex("unique", number)),
            ("timestamp", &time),
            ("_context_timestamp", &time),
        ] {
            self.message[key] = text.into();
        }
        self
    }

    /// Such as `neutron`.
    pub fn exchange(&self) -> &str {
        &self.exchange
    }

    /// Such as `notifications.info`.
    pub fn routing_key(&self) -> &str {
        &self.routing_key
    }

    /// The message itself: event type, payload, context.
    pub const fn message(&self) -> &Value {
        &self.message
    }

    /// The body of the driver `messagingv2`.
    pub fn body(&self) -> Vec<u8> {
        let envelope = json!({"oslo.version": "2.0", "oslo.message": self.message.to_string()});
        envelope.to_string().into_bytes()
    }

    /// The body of the driver `messaging`: the message without an envelope.
    pub fn bare_body(&self) -> Vec<u8> {
        self.message.to_string().into_bytes()
    }
}

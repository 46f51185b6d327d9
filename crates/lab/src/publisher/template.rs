//! The recorded messages that announcements are made from.

use serde::Deserialize;
use serde_json::Value;

/// A recorded message, as the file has it.
#[derive(Clone, Copy)]
pub(super) struct Template(&'static str);

macro_rules! recorded {
    ($($name:ident = $file:literal),+ $(,)?) => {
        impl Template {
            $(pub(super) const $name: Self =
                Self(include_str!(concat!("../../../notifications/fixtures/", $file, ".json")));)+
        }
    };
}

recorded! {
    PORT_CREATED = "neutron.unversioned.port.create.end",
    PORTS_CREATED = "neutron.unversioned.port.create.end.bulk",
    PORT_BOUND = "neutron.unversioned.port.update.end.bound-active",
    PORT_UNBOUND = "neutron.unversioned.port.update.end.unbound-down",
    PORT_DELETED = "neutron.unversioned.port.delete.end",
    SUBNET_UPDATED = "neutron.unversioned.subnet.update.end",
    NETWORK_UPDATED = "neutron.unversioned.network.update.end",
    SERVER_CREATED = "nova.unversioned.compute.instance.create.end",
    SERVER_UPDATED = "nova.unversioned.compute.instance.update",
    SERVER_DELETED = "nova.unversioned.compute.instance.delete.end",
    SERVER_POWERED_OFF = "nova.unversioned.compute.instance.power_off.end",
    VERSIONED_SERVER_CREATED = "nova.versioned.instance.create.end",
    VERSIONED_SERVER_UPDATED = "nova.versioned.instance.update",
    VERSIONED_SERVER_DELETED = "nova.versioned.instance.delete.end",
    VERSIONED_SERVER_POWERED_OFF = "nova.versioned.instance.power_off.end",
    INTERFACE_ATTACHED = "nova.versioned.instance.interface_attach.end",
    INTERFACE_DETACHED = "nova.versioned.instance.interface_detach.end",
}

/// What a file says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Recorded {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    raw_body: String,
}

impl Template {
    /// The file, read.
    pub(super) fn read(self) -> Recorded {
        serde_json::from_str(self.0).unwrap_or_default()
    }
}

impl Recorded {
    /// What lies in the envelope.
    pub(super) fn message(&self) -> Value {
        let envelope: Value = serde_json::from_str(&self.raw_body).unwrap_or_default();
        let message = envelope["oslo.message"].as_str().unwrap_or_default();
        serde_json::from_str(message).unwrap_or_default()
    }
}

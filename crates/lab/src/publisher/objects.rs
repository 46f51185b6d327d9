//! What announcements are about. Texts, not checked ids: a test may want to announce nonsense.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const PROJECT: &str = "bb62c2a5c5284f548908b864db59282c";
const NETWORK: &str = "3dff5163-2dc8-4158-90ef-9db42e63d0da";

/// A port, as Neutron shows it.
#[derive(Clone, Debug)]
pub struct AnnouncedPort {
    /// Its id.
    pub id: String,
    /// Its MAC address.
    pub mac: String,
    /// Its network.
    pub network: String,
    /// Whose it is.
    pub project: String,
    /// `device_id`; empty: plugged into nothing.
    pub device: String,
    /// Its addresses with their subnets.
    pub addresses: Vec<(String, String)>,
}

impl AnnouncedPort {
    /// Plugged into nothing, without an address.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            mac: "fa:16:3e:00:00:01".to_owned(),
            network: NETWORK.to_owned(),
            project: PROJECT.to_owned(),
            device: String::new(),
            addresses: Vec::new(),
        }
    }

    /// With this MAC address.
    #[must_use]
    pub fn mac(mut self, mac: &str) -> Self {
        mac.clone_into(&mut self.mac);
        self
    }

    /// Of this project.
    #[must_use]
    pub fn project(mut self, project: &str) -> Self {
        project.clone_into(&mut self.project);
        self
    }

    /// Plugged into this server.
    #[must_use]
    pub fn in_server(mut self, server: &str) -> Self {
        server.clone_into(&mut self.device);
        self
    }

    /// With one more address.
    #[must_use]
    pub fn address(mut self, subnet: &str, address: &str) -> Self {
        self.addresses.push((subnet.to_owned(), address.to_owned()));
        self
    }

    /// Writes it over a recorded one.
    pub(super) fn write(&self, port: &mut Value) {
        let fixed_ips = self
            .addresses
            .iter()
            .map(|(subnet, address)| json!({"subnet_id": subnet, "ip_address": address}));
        port["fixed_ips"] = fixed_ips.collect();
        let owner = if self.device.is_empty() { "" } else { "compute:nova" };
        for (key, text) in [
            ("id", self.id.as_str()),
            ("mac_address", &self.mac),
            ("network_id", &self.network),
            ("project_id", &self.project),
            ("tenant_id", &self.project),
            ("device_id", &self.device),
            ("device_owner", owner),
        ] {
            port[key] = text.into();
        }
    }
}

/// A server, as Nova shows it.
#[derive(Clone, Debug)]
pub struct AnnouncedServer {
    /// Its id.
    pub id: String,
    /// Its project.
    pub project: String,
    /// Its name.
    pub name: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
}

impl AnnouncedServer {
    /// Without metadata.
    pub fn new(id: &str, project: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            project: project.to_owned(),
            name: name.to_owned(),
            metadata: BTreeMap::new(),
        }
    }

    /// Writes it over a recorded payload of either format.
    pub(super) fn write(&self, payload: &mut Value) {
        let (server, id, host) = match payload.get_mut("nova_object.data") {
            Some(data) => (data, "uuid", "host_name"),
            None => (payload, "instance_id", "hostname"),
        };
        for (key, text) in [
            (id, &self.id),
            ("tenant_id", &self.project),
            ("display_name", &self.name),
            (host, &self.name),
        ] {
            server[key] = text.as_str().into();
        }
        server["metadata"] = json!(self.metadata);
    }
}

/// A subnet, as Neutron shows it.
#[derive(Clone, Debug)]
pub struct AnnouncedSubnet {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: String,
    /// Its project.
    pub project: String,
}

impl AnnouncedSubnet {
    pub(super) fn write(&self, subnet: &mut Value) {
        for (key, text) in [
            ("id", &self.id),
            ("name", &self.name),
            ("network_id", &self.network),
            ("project_id", &self.project),
            ("tenant_id", &self.project),
        ] {
            subnet[key] = text.as_str().into();
        }
    }
}

/// A network, as Neutron shows it.
#[derive(Clone, Debug)]
pub struct AnnouncedNetwork {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
}

impl AnnouncedNetwork {
    pub(super) fn write(&self, network: &mut Value) {
        for (key, text) in [
            ("id", &self.id),
            ("name", &self.name),
            ("project_id", &self.project),
            ("tenant_id", &self.project),
        ] {
            network[key] = text.as_str().into();
        }
    }
}

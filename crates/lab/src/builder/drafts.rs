//! What the builder remembers until the sentence is used.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use super::ready_made::{DEMO_ADMIN_PASSWORD, DEMO_ADMIN_PW};
use crate::state::Provider;

/// One thing that was said.
#[derive(Clone, Debug)]
pub(super) enum Draft {
    Provider(ProviderDraft),
    Project { id: String, name: String },
    User(UserDraft),
    Network(NetworkDraft),
    Vm(VmDraft),
    LoosePort(PortDraft),
}

#[derive(Clone, Debug)]
pub(super) struct ProviderDraft {
    pub id: String,
    pub admin: String,
    pub password: String,
    pub admin_pw: String,
    pub domain: String,
    pub url: Option<String>,
    pub rabbit: Option<(String, String, Vec<String>)>,
}

#[derive(Clone, Debug)]
pub(super) struct UserDraft {
    pub name: String,
    pub password: String,
    pub role: String,
    pub project: String,
    pub enabled: bool,
}

#[derive(Clone, Debug)]
pub(super) struct NetworkDraft {
    pub id: Option<String>,
    pub name: String,
    pub project: String,
    pub mtu: i64,
    pub shared: bool,
    pub shared_with: Vec<String>,
    pub external: bool,
    pub created: Option<i64>,
    pub subnets: Vec<SubnetDraft>,
}

#[derive(Clone, Debug)]
pub(super) struct SubnetDraft {
    pub id: Option<String>,
    pub name: String,
    pub project: Option<String>,
    pub cidr: IpNet,
    pub gateway: bool,
    pub slaac: bool,
    pub dns: Vec<IpAddr>,
    pub host_routes: Vec<(IpNet, IpAddr)>,
    pub created: Option<i64>,
}

#[derive(Clone, Debug)]
pub(super) struct VmDraft {
    pub id: Option<String>,
    pub name: String,
    pub project: String,
    pub status: String,
    pub metadata: BTreeMap<String, String>,
    pub created: Option<i64>,
    pub ports: Vec<PortDraft>,
}

#[derive(Clone, Debug)]
pub(super) struct PortDraft {
    pub id: Option<String>,
    pub name: String,
    pub project: Option<String>,
    pub mac: Option<String>,
    pub status: String,
    pub admin_state_up: bool,
    /// Name or id, and the address if it is not the next free one.
    pub subnets: Vec<(String, Option<IpAddr>)>,
    pub created: Option<i64>,
}

impl NetworkDraft {
    pub fn new(name: &str, project: String) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            project,
            mtu: 1500,
            shared: false,
            shared_with: Vec::new(),
            external: false,
            created: None,
            subnets: Vec::new(),
        }
    }
}

impl SubnetDraft {
    pub fn new(name: &str, cidr: IpNet) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            project: None,
            cidr,
            gateway: true,
            slaac: false,
            dns: Vec::new(),
            host_routes: Vec::new(),
            created: None,
        }
    }
}

impl VmDraft {
    pub fn new(name: &str, project: String) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            project,
            status: "ACTIVE".to_owned(),
            metadata: BTreeMap::new(),
            created: None,
            ports: Vec::new(),
        }
    }
}

impl PortDraft {
    pub fn new(subnet: &str) -> Self {
        Self {
            id: None,
            name: String::new(),
            project: None,
            mac: None,
            status: "ACTIVE".to_owned(),
            admin_state_up: true,
            subnets: vec![(subnet.to_owned(), None)],
            created: None,
        }
    }
}

impl ProviderDraft {
    pub fn record(&self) -> Provider {
        Provider {
            admin_id: self.admin.clone(),
            admin_pw: self.admin_pw.clone(),
            domain: self.domain.clone(),
            url: self.url.clone(),
            rabbit: self.rabbit.clone(),
        }
    }
}

impl Draft {
    pub fn provider(id: &str) -> Self {
        Self::Provider(ProviderDraft {
            id: id.to_owned(),
            admin: "admin".to_owned(),
            password: DEMO_ADMIN_PASSWORD.to_owned(),
            admin_pw: DEMO_ADMIN_PW.to_owned(),
            domain: "default".to_owned(),
            url: None,
            rabbit: None,
        })
    }

    pub fn user(name: &str, role: &str, project: String) -> Self {
        let password = DEMO_ADMIN_PASSWORD.to_owned();
        Self::User(UserDraft {
            name: name.to_owned(),
            password,
            role: role.to_owned(),
            project,
            enabled: true,
        })
    }

    pub fn as_provider(&mut self) -> Option<&mut ProviderDraft> {
        if let Self::Provider(provider) = self {
            Some(provider)
        } else {
            None
        }
    }

    pub fn as_user(&mut self) -> Option<&mut UserDraft> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    pub fn as_network(&mut self) -> Option<&mut NetworkDraft> {
        if let Self::Network(network) = self {
            Some(network)
        } else {
            None
        }
    }

    pub fn as_subnet(&mut self) -> Option<&mut SubnetDraft> {
        self.as_network()?.subnets.last_mut()
    }

    pub fn as_vm(&mut self) -> Option<&mut VmDraft> {
        if let Self::Vm(vm) = self { Some(vm) } else { None }
    }

    pub fn as_port(&mut self) -> Option<&mut PortDraft> {
        match self {
            Self::Vm(vm) => vm.ports.last_mut(),
            Self::LoosePort(port) => Some(port),
            _ => None,
        }
    }

    pub fn password(&mut self) -> Option<&mut String> {
        match self {
            Self::Provider(provider) => Some(&mut provider.password),
            Self::User(user) => Some(&mut user.password),
            _ => None,
        }
    }

    pub fn owner(&mut self) -> Option<&mut Option<String>> {
        if matches!(self, Self::Network(_)) {
            return self.as_subnet().map(|subnet| &mut subnet.project);
        }
        self.as_port().map(|port| &mut port.project)
    }

    pub fn status(&mut self) -> Option<&mut String> {
        match self {
            Self::Vm(VmDraft { ports, status, .. }) => Some(ports.last_mut().map_or(status, |port| &mut port.status)),
            Self::LoosePort(port) => Some(&mut port.status),
            _ => None,
        }
    }

    pub fn id(&mut self) -> Option<&mut Option<String>> {
        match self {
            Self::Network(NetworkDraft { id, subnets, .. }) => {
                Some(subnets.last_mut().map_or(id, |subnet| &mut subnet.id))
            }
            Self::Vm(VmDraft { id, ports, .. }) => Some(ports.last_mut().map_or(id, |port| &mut port.id)),
            Self::LoosePort(port) => Some(&mut port.id),
            _ => None,
        }
    }

    pub fn created(&mut self) -> Option<&mut Option<i64>> {
        match self {
            Self::Network(NetworkDraft { created, subnets, .. }) => {
                Some(subnets.last_mut().map_or(created, |subnet| &mut subnet.created))
            }
            Self::Vm(VmDraft { created, ports, .. }) => {
                Some(ports.last_mut().map_or(created, |port| &mut port.created))
            }
            Self::LoosePort(port) => Some(&mut port.created),
            _ => None,
        }
    }
}

//! From what was said to objects.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CloudBuilder, Setting,
    drafts::{Draft, NetworkDraft, PortDraft, ProviderDraft, SubnetDraft, UserDraft, VmDraft},
};
use crate::{
    LabError,
    ids::{self, Id},
    state::{CatalogOverride, FixedIp, Network, Port, Project, Server, State, Subnet, User},
};

/// 2026-01-01T00:00:00Z: when the first object of every lab was made.
const BEGINNING: i64 = 1_767_225_600;

/// The ids of what was added, in the order it was said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Added {
    /// Networks.
    pub networks: Vec<String>,
    /// Subnets.
    pub subnets: Vec<String>,
    /// VMs.
    pub vms: Vec<String>,
    /// Ports.
    pub ports: Vec<String>,
}

impl State {
    /// An installation that consists of this.
    pub fn build(cloud: CloudBuilder) -> Result<Self, LabError> {
        let mut state = Self {
            clock: BEGINNING,
            ..Self::default()
        };
        state.extend(cloud)?;
        Ok(state)
    }

    /// Adds this to what is there. After an error, what was said before the mistake has been added.
    pub fn extend(&mut self, cloud: CloudBuilder) -> Result<Added, LabError> {
        if let Some(problem) = cloud.problem {
            return Err(LabError::Build(problem));
        }
        for setting in cloud.settings {
            self.apply_setting(setting);
        }
        let mut added = Added::default();
        for draft in cloud.drafts {
            match draft {
                Draft::Provider(provider) => self.add_provider(provider),
                Draft::Project { id, name } => self.add_project(&id, name),
                Draft::User(user) => self.add_user(user)?,
                Draft::Network(network) => self.add_network(network, &mut added)?,
                Draft::Vm(vm) => self.add_vm(vm, &mut added)?,
                Draft::LoosePort(port) => {
                    let id = self.add_port(port, None)?;
                    added.ports.push(id.to_string());
                }
            }
        }
        Ok(added)
    }

    fn apply_setting(&mut self, setting: Setting) {
        let settings = &mut self.settings;
        match setting {
            Setting::ContrabassToken(token) => settings.contrabass_token = Some(token),
            Setting::TokenTtl(ttl) => settings.token_ttl = ttl,
            Setting::NovaMaxLimit(limit) => settings.nova_max_limit = limit,
            Setting::Region(region) => settings.regions.push(region),
            Setting::Catalog {
                service_type,
                interface,
                region,
                url,
            } => {
                settings.catalog.push(CatalogOverride {
                    service_type,
                    interface,
                    region,
                    url,
                });
            }
            Setting::KeepAlive => settings.uwsgi = false,
        }
    }

    fn add_provider(&mut self, provider: ProviderDraft) {
        self.providers.insert(provider.id.clone(), provider.record());
        let existing = self
            .identity
            .users
            .iter_mut()
            .find(|user| user.name == provider.admin && user.domain == provider.domain);
        if let Some(user) = existing {
            user.password = provider.password;
            return;
        }
        let id = ids::hex("user", self.next().0);
        self.identity.users.push(User {
            id,
            name: provider.admin,
            password: provider.password,
            domain: provider.domain,
            enabled: true,
            admin: true,
            roles: BTreeMap::new(),
        });
    }

    fn add_project(&mut self, id: &str, name: String) {
        let id: Id = id.into();
        self.identity.projects.insert(Id::clone(&id), Project { id, name });
    }

    fn project(&self, id: &str) -> Result<Id, LabError> {
        let project = self.identity.projects.get(id);
        project
            .map(|project| Id::clone(&project.id))
            .ok_or_else(|| unknown("project", id))
    }

    fn add_user(&mut self, user: UserDraft) -> Result<(), LabError> {
        let project = self.project(&user.project)?;
        let id = ids::hex("user", self.next().0);
        self.identity.users.push(User {
            id,
            name: user.name,
            password: user.password,
            domain: "default".to_owned(),
            enabled: user.enabled,
            admin: false,
            roles: [(project, BTreeSet::from([user.role]))].into(),
        });
        Ok(())
    }

    fn add_network(&mut self, draft: NetworkDraft, added: &mut Added) -> Result<(), LabError> {
        let project = self.project(&draft.project)?;
        let (number, now) = self.next();
        let id = draft.id.map_or_else(|| ids::uuid("network", number), Id::from);
        let network = Network {
            id: Id::clone(&id),
            name: draft.name,
            project: Id::clone(&project),
            mtu: draft.mtu,
            shared: draft.shared,
            shared_with: draft.shared_with.into_iter().map(Id::from).collect(),
            external: draft.external,
            admin_state_up: true,
            subnets: BTreeSet::new(),
            created: draft.created.unwrap_or(now),
            updated: draft.created.unwrap_or(now),
            revision: 1,
            segment: 1000 + number,
        };
        added.networks.push(id.to_string());
        self.networks.insert(Id::clone(&id), network);
        for subnet in draft.subnets {
            let subnet = self.add_subnet(subnet, &id, &project)?;
            added.subnets.push(subnet.to_string());
        }
        Ok(())
    }

    fn add_subnet(&mut self, draft: SubnetDraft, network: &Id, project: &Id) -> Result<Id, LabError> {
        let project = draft
            .project
            .map_or_else(|| Ok(Id::clone(project)), |project| self.project(&project))?;
        let (number, now) = self.next();
        let id = draft.id.map_or_else(|| ids::uuid("subnet", number), Id::from);
        let mut subnet = Subnet {
            id: Id::clone(&id),
            name: draft.name,
            project,
            network: Id::clone(network),
            cidr: draft.cidr.trunc(),
            gateway: None,
            dhcp: true,
            slaac: draft.slaac,
            dns: draft.dns,
            host_routes: draft.host_routes,
            used: 0,
            created: draft.created.unwrap_or(now),
            updated: draft.created.unwrap_or(now),
            revision: 0,
        };
        // Neutron's own choice: the first address; of a SLAAC subnet the network's.
        subnet.gateway = if draft.gateway {
            subnet.nth(u64::from(!draft.slaac))
        } else {
            None
        };
        self.subnets.insert(Id::clone(&id), subnet);
        if let Some(network) = self.networks.get_mut(network) {
            network.subnets.insert(Id::clone(&id));
            network.revision += 1;
        }
        Ok(id)
    }

    fn add_vm(&mut self, draft: VmDraft, added: &mut Added) -> Result<(), LabError> {
        let project = self.project(&draft.project)?;
        let (number, now) = self.next();
        let id = draft.id.map_or_else(|| ids::uuid("server", number), Id::from);
        let user = self
            .identity
            .users
            .first()
            .map_or_else(|| ids::hex("user", 0), |user| Id::clone(&user.id));
        self.servers.insert(Server {
            id: Id::clone(&id),
            name: draft.name,
            project: Id::clone(&project),
            user,
            status: draft.status,
            metadata: draft.metadata,
            created: draft.created.unwrap_or(now),
            updated: draft.created.unwrap_or(now),
            number,
        });
        added.vms.push(id.to_string());
        for port in draft.ports {
            let port = self.add_port(port, Some((&id, &project)))?;
            added.ports.push(port.to_string());
        }
        Ok(())
    }

    /// A port on that subnet, attached to that server.
    pub fn make_port(&mut self, subnet: &str, server: &Id, project: &Id) -> Result<Id, LabError> {
        self.add_port(PortDraft::new(subnet), Some((server, project)))
    }

    /// A port, attached to a server of a project or to nothing.
    fn add_port(&mut self, draft: PortDraft, server: Option<(&Id, &Id)>) -> Result<Id, LabError> {
        let owner = draft.project.map(|project| self.project(&project)).transpose()?;
        let (number, now) = self.next();
        let mac = draft.mac.unwrap_or_else(|| ids::mac(number));
        let (network, fixed_ips) = self.place(&draft.subnets, &mac)?;
        let id = draft.id.map_or_else(|| ids::uuid("port", number), Id::from);
        self.ports.insert(Port {
            id: Id::clone(&id),
            name: draft.name,
            project: owner
                .or_else(|| server.map(|(_, project)| Id::clone(project)))
                .unwrap_or_else(|| Id::from("")),
            network,
            mac,
            status: draft.status,
            admin_state_up: draft.admin_state_up,
            device: server.map_or_else(|| Id::from(""), |(server, _)| Id::clone(server)),
            device_owner: if server.is_some() {
                "compute:nova".to_owned()
            } else {
                String::new()
            },
            fixed_ips,
            created: draft.created.unwrap_or(now),
            updated: draft.created.unwrap_or(now),
            revision: 1,
        });
        Ok(id)
    }

    /// The network of the named subnets, and an address in each of them; SLAAC adds its own.
    fn place(
        &mut self,
        wanted: &[(String, Option<std::net::IpAddr>)],
        mac: &str,
    ) -> Result<(Id, Vec<FixedIp>), LabError> {
        let mut fixed_ips = Vec::with_capacity(wanted.len());
        let mut network = None;
        for (name, address) in wanted {
            let id = self.find_subnet(name)?;
            let Some(subnet) = self.subnets.get_mut(&id) else {
                continue;
            };
            let free = if subnet.slaac {
                subnet.slaac_address(mac)
            } else {
                subnet.next_address()
            };
            let address = address.or(free).ok_or_else(|| LabError::SubnetFull(name.clone()))?;
            network.get_or_insert_with(|| Id::clone(&subnet.network));
            fixed_ips.push(FixedIp { subnet: id, address });
        }
        let network = network.ok_or_else(|| LabError::Build("a port needs a subnet".to_owned()))?;
        let siblings = self
            .networks
            .get(&network)
            .into_iter()
            .flat_map(|network| &network.subnets);
        for subnet in siblings
            .filter_map(|id| self.subnets.get(id))
            .filter(|subnet| subnet.slaac)
        {
            if let Some(address) = subnet.slaac_address(mac)
                && fixed_ips.iter().all(|fixed_ip| fixed_ip.subnet != subnet.id)
            {
                fixed_ips.push(FixedIp {
                    subnet: Id::clone(&subnet.id),
                    address,
                });
            }
        }
        Ok((network, fixed_ips))
    }

    /// By id, or by a name that only one has.
    pub fn find_subnet(&self, name: &str) -> Result<Id, LabError> {
        if let Some(subnet) = self.subnets.get(name) {
            return Ok(Id::clone(&subnet.id));
        }
        let named = self
            .subnets
            .values()
            .filter(|subnet| subnet.name == name)
            .map(|subnet| &subnet.id);
        only("subnet", name, named)
    }
}

/// The only one of these.
pub(crate) fn only<'a>(kind: &'static str, name: &str, mut all: impl Iterator<Item = &'a Id>) -> Result<Id, LabError> {
    let first = all.next().ok_or_else(|| unknown(kind, name))?;
    match all.next() {
        None => Ok(Id::clone(first)),
        Some(_) => Err(LabError::Ambiguous {
            kind,
            name: name.to_owned(),
        }),
    }
}

/// Nothing has that name.
pub(crate) fn unknown(kind: &'static str, name: &str) -> LabError {
    LabError::Unknown {
        kind,
        name: name.to_owned(),
    }
}

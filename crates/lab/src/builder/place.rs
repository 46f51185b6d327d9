//! Networks, subnets, VMs and ports: from drafts to objects with ids, addresses and dates.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    Added,
    drafts::{NetworkDraft, PortDraft, SubnetDraft, VmDraft},
};
use crate::{
    LabError,
    ids::{self, Id},
    state::{FixedIp, Network, Port, Server, State, Subnet},
};

impl State {
    pub(super) fn add_network(&mut self, draft: NetworkDraft, added: &mut Added) -> Result<(), LabError> {
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

    pub(super) fn add_vm(&mut self, draft: VmDraft, added: &mut Added) -> Result<(), LabError> {
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
    pub(super) fn add_port(&mut self, draft: PortDraft, server: Option<(&Id, &Id)>) -> Result<Id, LabError> {
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
    fn place(&mut self, wanted: &[(String, Option<IpAddr>)], mac: &str) -> Result<(Id, Vec<FixedIp>), LabError> {
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

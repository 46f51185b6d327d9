//! What a hint means for one place: what is to be looked at again, which removals it announces, and whether a reading
//! shows yet what it said. Pure. Nothing of a hint ever gets into an inventory (rule 8).

use std::{
    collections::{BTreeSet, HashSet},
    net::IpAddr,
};

use multinic_cloud::{Part, ReadRequest};
use multinic_model::{
    InstanceId, NetworkId, PortId, SubnetId, SubnetSelector, VmSelector,
    inventory::{Inventory, SubnetLookup},
};
use multinic_notifications::{Hint, PortHint, ServerHint};
use multinic_planner::Announced;

/// What follows from a hint.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Concern {
    pub part: Part,
    pub announced: Announced,
}

impl Concern {
    fn subnets() -> Self {
        let part = Part {
            subnets: true,
            ..Part::default()
        };
        Self {
            part,
            announced: Announced::default(),
        }
    }
}

/// What somebody wants of a place, and what the place said last.
pub(super) struct Interest<'a> {
    inventory: &'a Inventory,
    names: HashSet<&'a str>,
    ids: HashSet<InstanceId>,
    subnets: &'a BTreeSet<SubnetSelector>,
}

impl<'a> Interest<'a> {
    pub fn new(request: &'a ReadRequest, inventory: &'a Inventory) -> Self {
        Self {
            inventory,
            names: request.vms.iter().map(VmSelector::as_str).collect(),
            ids: request.vms.iter().filter_map(VmSelector::instance_id).collect(),
            subnets: &request.subnets,
        }
    }

    /// `None`: it is nobody's business here.
    pub fn concern(&self, hint: &Hint) -> Option<Concern> {
        match hint {
            Hint::Server(hint) => self.server(hint),
            Hint::Port(hint) => self.port(hint),
            Hint::Subnet(hint) => self
                .means_subnet(&hint.subnet, hint.name.as_deref())
                .then(Concern::subnets),
            Hint::Network(hint) => self.lies_on(hint.network).then(Concern::subnets),
        }
    }

    /// Whether the inventory says what the hint has announced. One that arrives before the API shows the change is not
    /// forgotten.
    pub fn shows(&self, hint: &Hint) -> bool {
        match hint {
            Hint::Server(hint) => self.shows_server(hint),
            Hint::Port(hint) => self.shows_port(hint),
            Hint::Subnet(_) | Hint::Network(_) => true,
        }
    }

    fn server(&self, hint: &ServerHint) -> Option<Concern> {
        if hint.project.is_some_and(|project| project != self.inventory.project) {
            return None;
        }
        let known = self
            .inventory
            .servers
            .get(&hint.instance)
            .map(|server| server.name.as_str());
        let named = |name: &str| self.names.contains(name);
        if !self.ids.contains(&hint.instance) && !known.is_some_and(named) && !hint.name.as_deref().is_some_and(named) {
            return None;
        }
        let renamed = hint.name.is_some() && known != hint.name.as_deref();
        let mut concern = Concern::default();
        let instance = || BTreeSet::from([hint.instance.clone()]);
        if hint.server || hint.gone || renamed {
            concern.part.servers = instance();
        }
        if hint.ports || hint.detached {
            concern.part.ports = instance();
        }
        if hint.gone {
            concern.announced.deleted = instance();
        }
        if hint.detached {
            concern.announced.detached = instance();
        }
        Some(concern)
    }

    fn port(&self, hint: &PortHint) -> Option<Concern> {
        let home = self.home(hint.port);
        let mut servers: BTreeSet<_> = hint.devices.iter().chain(home).cloned().collect();
        servers.retain(|id| self.means_server(id));
        if servers.is_empty() || (home.is_none() && self.lies_elsewhere(hint)) {
            return None;
        }
        // A port that is about to be plugged into another server has not left this one yet.
        let left = |server: &InstanceId| hint.gone || (!hint.is_ahead() && hint.device.as_ref() != Some(server));
        let known = self.inventory.ports.get(&hint.port).map(|port| port.mac_address);
        let mut announced = Announced::default();
        if let Some(mac) = known.or(hint.mac) {
            let left = servers.iter().filter(|server| left(server));
            announced.ports = left.map(|server| (server.clone(), mac)).collect();
        }
        let part = Part {
            ports: servers,
            ..Part::default()
        };
        Some(Concern { part, announced })
    }

    /// The server that the port was in when it was last looked at.
    fn home(&self, port: PortId) -> Option<&'a InstanceId> {
        let known = self.inventory.ports.get(&port).map(|port| &port.device_id);
        known.or_else(|| {
            let mut unreadable = self.inventory.unreadable.iter();
            let same = unreadable.find(|odd| odd.id.parse() == Ok(port))?;
            Some(&same.device_id)
        })
    }

    fn means_server(&self, id: &InstanceId) -> bool {
        let server = self.inventory.servers.get(id);
        server.is_some_and(|server| self.ids.contains(id) || self.names.contains(server.name.as_str()))
    }

    /// Whether all addresses are said to lie outside every subnet in question.
    fn lies_elsewhere(&self, hint: &PortHint) -> bool {
        let Some(addresses) = &hint.addresses else { return false };
        !addresses.iter().any(|address| self.in_question(*address))
    }

    fn in_question(&self, address: IpAddr) -> bool {
        self.lookups().any(|lookup| match lookup {
            SubnetLookup::Found(subnet) => subnet.cidr.contains(&address),
            _ => false,
        })
    }

    fn lookups(&self) -> impl Iterator<Item = &'a SubnetLookup> {
        let inventory = self.inventory;
        self.subnets
            .iter()
            .filter_map(|selector| inventory.subnets.get(selector))
    }

    fn means_subnet(&self, id: &SubnetId, name: Option<&str>) -> bool {
        let selected = self.subnets.iter().any(|selector| match selector {
            SubnetSelector::Id(wanted) => wanted == id,
            SubnetSelector::Name(wanted) => Some(wanted.as_str()) == name,
        });
        selected
            || self.lookups().any(|lookup| match lookup {
                SubnetLookup::Found(subnet) => subnet.id == *id,
                SubnetLookup::Ambiguous(candidates) => candidates.iter().any(|candidate| candidate.id == *id),
                SubnetLookup::NotFound | SubnetLookup::Unusable { .. } => false,
            })
    }

    /// Whether a subnet in question lies on the network, or may.
    fn lies_on(&self, network: NetworkId) -> bool {
        self.lookups().any(|lookup| match lookup {
            SubnetLookup::Found(subnet) => subnet.network_id == network,
            SubnetLookup::Ambiguous(candidates) => candidates.iter().any(|candidate| candidate.network_id == network),
            SubnetLookup::Unusable { .. } => true,
            SubnetLookup::NotFound => false,
        })
    }

    fn shows_server(&self, hint: &ServerHint) -> bool {
        let known = self.inventory.servers.get(&hint.instance);
        if hint.gone {
            return known.is_none();
        }
        let Some(name) = &hint.name else { return true };
        match known {
            Some(known) => known.name == *name,
            // One that nobody wants under its new name is not listed.
            None => !self.ids.contains(&hint.instance) && !self.names.contains(name.as_str()),
        }
    }

    fn shows_port(&self, hint: &PortHint) -> bool {
        let known = self.inventory.ports.get(&hint.port);
        let Some(device) = hint.device.as_ref().filter(|_| !hint.gone) else {
            return known.is_none();
        };
        if !self.means_server(device) || self.lies_elsewhere(hint) {
            return true;
        }
        let Some(known) = known else {
            return self.home(hint.port) == Some(device);
        };
        let addresses: BTreeSet<_> = known.fixed_ips.iter().map(|ip| ip.address).collect();
        known.device_id == *device && hint.addresses.as_ref().is_none_or(|said| *said == addresses)
    }
}

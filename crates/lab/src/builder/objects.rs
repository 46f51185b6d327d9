//! The builder's words for networks, subnets, VMs and ports.

use std::net::IpAddr;

use super::{
    CloudBuilder,
    drafts::{Draft, NetworkDraft, PortDraft, SubnetDraft, VmDraft},
};

impl CloudBuilder {
    /// A network of the current project: MTU 1500, not shared.
    pub fn network(mut self, name: &str) -> Self {
        let project = self.current_project("network");
        self.drafts.push(Draft::Network(NetworkDraft::new(name, project)));
        self
    }

    /// Of a network: its MTU in bytes. Any number: a bad one is a case to test.
    pub fn mtu(self, mtu: i64) -> Self {
        self.on("mtu", |draft| draft.as_network().map(|network| network.mtu = mtu))
    }

    /// Of a network: shared with every project.
    pub fn shared(self) -> Self {
        self.on("shared", |draft| {
            draft.as_network().map(|network| network.shared = true)
        })
    }

    /// Of a network: shared with that project only (RBAC).
    pub fn shared_with(self, project: &str) -> Self {
        self.on("shared_with", |draft| {
            draft
                .as_network()
                .map(|network| network.shared_with.push(project.to_owned()))
        })
    }

    /// Of a network: `router:external`.
    pub fn external(self) -> Self {
        self.on("external", |draft| {
            draft.as_network().map(|network| network.external = true)
        })
    }

    /// A subnet of the last network, with the first address as its gateway.
    pub fn subnet(self, name: &str, cidr: &str) -> Self {
        let Ok(cidr) = cidr.parse() else {
            return self.complain(format!("{cidr:?} is not a CIDR"));
        };
        let subnet = SubnetDraft::new(name, cidr);
        self.on("subnet", |draft| {
            draft.as_network().map(|network| network.subnets.push(subnet))
        })
    }

    /// Of a subnet: no gateway.
    pub fn no_gateway(self) -> Self {
        self.on("no_gateway", |draft| {
            draft.as_subnet().map(|subnet| subnet.gateway = false)
        })
    }

    /// Of an IPv6 subnet: SLAAC, so that every port of the network gets an address from it.
    pub fn slaac(self) -> Self {
        self.on("slaac", |draft| draft.as_subnet().map(|subnet| subnet.slaac = true))
    }

    /// Of a subnet: one name server.
    pub fn dns(self, address: &str) -> Self {
        let Ok(address) = address.parse() else {
            return self.complain(format!("{address:?} is not an address"));
        };
        self.on("dns", |draft| draft.as_subnet().map(|subnet| subnet.dns.push(address)))
    }

    /// Of a subnet: one host route.
    pub fn host_route(self, destination: &str, next_hop: &str) -> Self {
        let (Ok(to), Ok(hop)) = (destination.parse(), next_hop.parse()) else {
            return self.complain(format!("{destination:?} by {next_hop:?} is not a route"));
        };
        self.on("host_route", |draft| {
            draft.as_subnet().map(|subnet| subnet.host_routes.push((to, hop)))
        })
    }

    /// A server of the current project, ACTIVE and without metadata.
    pub fn vm(mut self, name: &str) -> Self {
        let project = self.current_project("vm");
        self.drafts.push(Draft::Vm(VmDraft::new(name, project)));
        self
    }

    /// Of a VM: one metadata entry.
    pub fn metadata(self, key: &str, value: &str) -> Self {
        self.on("metadata", |draft| {
            draft
                .as_vm()
                .map(|vm| drop(vm.metadata.insert(key.to_owned(), value.to_owned())))
        })
    }

    /// A port on that subnet (name or id), ACTIVE; attached to the last VM.
    pub fn port(self, subnet: &str) -> Self {
        let port = PortDraft::new(subnet);
        self.on("port", |draft| draft.as_vm().map(|vm| vm.ports.push(port)))
    }

    /// A port on that subnet that belongs to no VM, DOWN.
    pub fn loose_port(mut self, subnet: &str) -> Self {
        let project = self.current_project("loose_port");
        let port = PortDraft {
            status: "DOWN".to_owned(),
            project: Some(project),
            ..PortDraft::new(subnet)
        };
        self.drafts.push(Draft::LoosePort(port));
        self
    }

    /// Of a port: one more address, on another subnet of the same network.
    pub fn also_on(self, subnet: &str) -> Self {
        self.on("also_on", |draft| {
            draft.as_port().map(|port| port.subnets.push((subnet.to_owned(), None)))
        })
    }

    /// Of a port: this address on the subnet named last, instead of the next free one.
    pub fn address(self, address: &str) -> Self {
        let Ok(address) = address.parse::<IpAddr>() else {
            return self.complain(format!("{address:?} is not an address"));
        };
        self.on("address", |draft| {
            draft
                .as_port()
                .and_then(|port| port.subnets.last_mut())
                .map(|(_, place)| *place = Some(address))
        })
    }

    /// Of a port: its MAC address as written here; by default counted up under fa:16:3e.
    pub fn mac(self, mac: &str) -> Self {
        self.on("mac", |draft| {
            draft.as_port().map(|port| port.mac = Some(mac.to_owned()))
        })
    }

    /// Of a port: `admin_state_up` is false.
    pub fn admin_down(self) -> Self {
        self.on("admin_down", |draft| {
            draft.as_port().map(|port| port.admin_state_up = false)
        })
    }

    /// Of a port: its name, by default empty.
    pub fn named(self, name: &str) -> Self {
        self.on("named", |draft| {
            draft.as_port().map(|port| name.clone_into(&mut port.name))
        })
    }

    /// Of a subnet or a port: owned by another project than its network or VM.
    pub fn owned_by(self, project: &str) -> Self {
        self.on("owned_by", |draft| {
            draft.owner().map(|place| *place = Some(project.to_owned()))
        })
    }

    /// Of a VM or a port: its status.
    pub fn status(self, status: &str) -> Self {
        self.on("status", |draft| draft.status().map(|place| status.clone_into(place)))
    }

    /// Of a network, subnet, VM or port: its id, whatever it looks like; by default a UUID that is the same in every run.
    pub fn id(self, id: &str) -> Self {
        self.on("id", |draft| draft.id().map(|place| *place = Some(id.to_owned())))
    }

    /// Of a network, subnet, VM or port: when it was made, in Unix seconds; by default one second after the object before.
    pub fn created_at(self, seconds: i64) -> Self {
        self.on("created_at", |draft| {
            draft.created().map(|place| *place = Some(seconds))
        })
    }
}

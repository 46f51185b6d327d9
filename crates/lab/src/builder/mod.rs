//! A cloud as one sentence: what is said next belongs to what was said before.
//!
//! ```
//! use multinic_lab::CloudBuilder;
//!
//! let cloud = CloudBuilder::new()
//!     .provider("a919ea1c-9a09-4a9f-9021-ec68c1de2159")
//!     .project("df64928216f740d3a6b84a66fa30b649", "biz")
//!     .network("biz-mgmt").mtu(1450).subnet("biz-mgmt-v4", "10.10.0.0/16")
//!     .vm("worker-1").metadata("k8s-node-name", "w1")
//!     .port("biz-mgmt-v4").status("DOWN");
//! # let _ = cloud;
//! ```

mod apply;
mod drafts;
mod ready_made;

use std::{net::IpAddr, time::Duration};

use drafts::{Draft, NetworkDraft, PortDraft, SubnetDraft, VmDraft};

pub use apply::Added;
pub(crate) use apply::{only, unknown};
pub use ready_made::{
    DEMO_ADMIN_PASSWORD, DEMO_ADMIN_PW, DEMO_ADMIN_PW_MD5, DEMO_ENCRYPTION_KEY, DEMO_RABBIT_PASSWORD, DEMO_RABBIT_PW,
    SEED_PROJECT, SEED_PROVIDER, SEED_SUBNET_ID, SEED_SUBNET_NAME,
};

/// Says what a cloud consists of. Mistakes are kept and reported when the sentence is used
/// ([`Lab::start`](crate::Lab::start), [`CloudHandle::add`](crate::CloudHandle::add)).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is given to a lab"]
pub struct CloudBuilder {
    drafts: Vec<Draft>,
    settings: Vec<Setting>,
    project: Option<String>,
    problem: Option<String>,
}

/// A switch of the whole installation.
#[derive(Clone, Debug)]
enum Setting {
    ContrabassToken(String),
    TokenTtl(Duration),
    NovaMaxLimit(usize),
    Region(String),
    Catalog {
        service_type: String,
        interface: String,
        region: String,
        url: Option<String>,
    },
    KeepAlive,
}

impl CloudBuilder {
    /// An empty cloud with the region `RegionOne`.
    pub fn new() -> Self {
        Self::default()
    }

    /// A provider that Contrabass knows; its administrator is a Keystone user with the admin role in every project.
    /// By default `admin`, [`DEMO_ADMIN_PASSWORD`], [`DEMO_ADMIN_PW`], domain `default`, and the lab's Keystone.
    pub fn provider(mut self, id: &str) -> Self {
        self.drafts.push(Draft::provider(id));
        self
    }

    /// Of a provider: the administrator's name.
    pub fn admin(self, name: &str) -> Self {
        self.on("admin", |draft| {
            draft.as_provider().map(|provider| name.clone_into(&mut provider.admin))
        })
    }

    /// Of a provider or a user: the password Keystone accepts, in plain text.
    pub fn password(self, password: &str) -> Self {
        self.on("password", |draft| {
            draft.password().map(|place| password.clone_into(place))
        })
    }

    /// Of a provider: the envelope Contrabass gives out as `adminPw`, whatever is in it.
    pub fn envelope(self, admin_pw: &str) -> Self {
        self.on("envelope", |draft| {
            draft
                .as_provider()
                .map(|provider| admin_pw.clone_into(&mut provider.admin_pw))
        })
    }

    /// Of a provider: the domain's id, by default `default`.
    pub fn domain(self, id: &str) -> Self {
        self.on("domain", |draft| {
            draft.as_provider().map(|provider| id.clone_into(&mut provider.domain))
        })
    }

    /// Of a provider: another Keystone than the lab's own.
    pub fn keystone_url(self, url: &str) -> Self {
        self.on("keystone_url", |draft| {
            draft.as_provider().map(|provider| provider.url = Some(url.to_owned()))
        })
    }

    /// Of a provider: what Contrabass says about RabbitMQ; the password is an envelope, the addresses are `host:port`.
    pub fn rabbitmq(self, id: &str, envelope: &str, addresses: &[&str]) -> Self {
        let addresses: Vec<_> = addresses.iter().map(|&address| address.to_owned()).collect();
        self.on("rabbitmq", |draft| {
            draft
                .as_provider()
                .map(|provider| provider.rabbit = Some((id.to_owned(), envelope.to_owned(), addresses)))
        })
    }

    /// A project (new, or one that is there already); what follows belongs to it.
    pub fn project(mut self, id: &str, name: &str) -> Self {
        self.drafts.push(Draft::Project {
            id: id.to_owned(),
            name: name.to_owned(),
        });
        self.project = Some(id.to_owned());
        self
    }

    /// What follows belongs to a project that is there already.
    pub fn in_project(mut self, id: &str) -> Self {
        self.project = Some(id.to_owned());
        self
    }

    /// A user without the admin role: `member` or `reader` of the current project.
    pub fn user(mut self, name: &str, role: &str) -> Self {
        let project = self.current_project("user");
        self.drafts.push(Draft::user(name, role, project));
        self
    }

    /// Of a user: disabled.
    pub fn disabled(self) -> Self {
        self.on("disabled", |draft| draft.as_user().map(|user| user.enabled = false))
    }

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

    /// Contrabass asks for this bearer token.
    pub fn contrabass_token(self, token: &str) -> Self {
        self.set(Setting::ContrabassToken(token.to_owned()))
    }

    /// How long Keystone's tokens live; by default an hour.
    pub fn token_ttl(self, ttl: Duration) -> Self {
        self.set(Setting::TokenTtl(ttl))
    }

    /// Nova's `max_limit`: the longest page; by default 1000.
    pub fn nova_max_limit(self, limit: usize) -> Self {
        self.set(Setting::NovaMaxLimit(limit))
    }

    /// One more region, with the same endpoints as `RegionOne`.
    pub fn region(self, name: &str) -> Self {
        self.set(Setting::Region(name.to_owned()))
    }

    /// Changes the catalog's line for that service type, interface and region; without a URL it is taken out.
    pub fn catalog(self, service_type: &str, interface: &str, region: &str, url: Option<&str>) -> Self {
        self.set(Setting::Catalog {
            service_type: service_type.to_owned(),
            interface: interface.to_owned(),
            region: region.to_owned(),
            url: url.map(str::to_owned),
        })
    }

    /// Keystone and Nova answer with lengths and keep connections, instead of as under Debian's uWSGI.
    pub fn without_uwsgi(self) -> Self {
        self.set(Setting::KeepAlive)
    }

    fn set(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    fn current_project(&mut self, word: &str) -> String {
        self.project.clone().unwrap_or_else(|| {
            self.problem
                .get_or_insert_with(|| format!(".{word}() needs a project before it"));
            String::new()
        })
    }

    fn on(mut self, word: &str, change: impl FnOnce(&mut Draft) -> Option<()>) -> Self {
        if self.drafts.last_mut().and_then(change).is_none() {
            return self.complain(format!(".{word}() does not go with what stands before it"));
        }
        self
    }

    fn complain(mut self, problem: String) -> Self {
        self.problem.get_or_insert(problem);
        self
    }
}

//! Changes to a running cloud.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    CloudBuilder, LabError,
    builder::{Added, only, unknown},
    ids::Id,
    publisher::AnnouncedPort,
    state::{FixedIp, Network, Port, Server, State, Subnet},
};

/// A running cloud's objects. Everything takes an id, or a name that only one object has (letter for letter).
///
/// Every change moves `updated_at` and raises `revision_number`, as Neutron and Nova do.
#[derive(Clone, Debug)]
pub struct CloudHandle(Arc<Mutex<State>>);

impl CloudHandle {
    pub(crate) fn new(state: Arc<Mutex<State>>) -> Self {
        Self(state)
    }

    /// Adds whatever a builder can say; the project named by [`CloudBuilder::in_project`] may be there already.
    pub fn add(&self, cloud: CloudBuilder) -> Result<Added, LabError> {
        self.lock().extend(cloud)
    }

    /// Makes a port on that subnet and attaches it to that VM; gives its id.
    pub fn attach_port(&self, vm: &str, subnet: &str) -> Result<String, LabError> {
        self.lock().attach_new_port(vm, subnet).map(|id| id.to_string())
    }

    /// Attaches a port that is there already.
    pub fn attach(&self, port: &str, vm: &str) -> Result<(), LabError> {
        let mut state = self.lock();
        let server = state.find_server(vm)?;
        state.change_port(port, |port| {
            port.device = server;
            "compute:nova".clone_into(&mut port.device_owner);
            "ACTIVE".clone_into(&mut port.status);
        })
    }

    /// Detaches a port; it stays, belonging to nothing, DOWN.
    pub fn detach_port(&self, port: &str) -> Result<(), LabError> {
        self.lock().change_port(port, |port| {
            port.device = Id::from("");
            port.device_owner.clear();
            "DOWN".clone_into(&mut port.status);
        })
    }

    /// Deletes a port.
    pub fn delete_port(&self, port: &str) -> Result<(), LabError> {
        let mut state = self.lock();
        let id = state.find_port(port)?;
        state.ports.remove(&id);
        Ok(())
    }

    /// Sets a port's status.
    pub fn set_port_status(&self, port: &str, status: &str) -> Result<(), LabError> {
        self.lock()
            .change_port(port, |port| status.clone_into(&mut port.status))
    }

    /// Gives a port another MAC address, as it is written here.
    pub fn set_mac(&self, port: &str, mac: &str) -> Result<(), LabError> {
        self.lock().change_port(port, |port| mac.clone_into(&mut port.mac))
    }

    /// A port's MAC address.
    pub fn mac_of(&self, port: &str) -> Result<String, LabError> {
        let state = self.lock();
        let id = state.find_port(port)?;
        let found = state.ports.get(&id).map(|port| port.mac.clone());
        found.ok_or_else(|| unknown("port", port))
    }

    /// A port as Neutron would announce it now.
    pub fn announced_port(&self, port: &str) -> Result<AnnouncedPort, LabError> {
        let state = self.lock();
        let id = state.find_port(port)?;
        let found = state.ports.get(&id).ok_or_else(|| unknown("port", port))?;
        let addresses = found.fixed_ips.iter();
        Ok(AnnouncedPort {
            id: found.id.to_string(),
            mac: found.mac.clone(),
            network: found.network.to_string(),
            project: found.project.to_string(),
            device: found.device.to_string(),
            addresses: addresses
                .map(|ip| (ip.subnet.to_string(), ip.address.to_string()))
                .collect(),
        })
    }

    /// Gives a port exactly these addresses, each with its subnet.
    pub fn set_fixed_ips(&self, port: &str, fixed_ips: &[(&str, IpAddr)]) -> Result<(), LabError> {
        let mut state = self.lock();
        let fixed_ips: Result<Vec<_>, LabError> = fixed_ips
            .iter()
            .map(|&(subnet, address)| state.find_subnet(subnet).map(|subnet| FixedIp { subnet, address }))
            .collect();
        let fixed_ips = fixed_ips?;
        state.change_port(port, |port| port.fixed_ips = fixed_ips)
    }

    /// The ids of the VM's ports, sorted.
    pub fn ports_of(&self, vm: &str) -> Result<Vec<String>, LabError> {
        let state = self.lock();
        let server = state.find_server(vm)?;
        Ok(state.ports.of_device(&server).map(ToString::to_string).collect())
    }

    /// The VM's id.
    pub fn vm_id(&self, vm: &str) -> Result<String, LabError> {
        self.lock().find_server(vm).map(|id| id.to_string())
    }

    /// How many VMs and ports there are.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.servers.len(), state.ports.len())
    }

    /// Gives a VM another name.
    pub fn rename_vm(&self, vm: &str, name: &str) -> Result<(), LabError> {
        self.lock()
            .change_server(vm, |server| name.clone_into(&mut server.name))
    }

    /// Sets a VM's status.
    pub fn set_vm_status(&self, vm: &str, status: &str) -> Result<(), LabError> {
        self.lock()
            .change_server(vm, |server| status.clone_into(&mut server.status))
    }

    /// Sets one metadata entry of a VM; without a value it is taken out.
    pub fn set_metadata(&self, vm: &str, key: &str, value: Option<&str>) -> Result<(), LabError> {
        self.lock().change_server(vm, |server| match value {
            Some(value) => drop(server.metadata.insert(key.to_owned(), value.to_owned())),
            None => drop(server.metadata.remove(key)),
        })
    }

    /// Deletes a VM. Its ports are deleted with it, as those that Nova has made.
    pub fn delete_vm(&self, vm: &str) -> Result<(), LabError> {
        let mut state = self.lock();
        let id = state.find_server(vm)?;
        let ports: Vec<_> = state.ports.of_device(&id).cloned().collect();
        for port in ports {
            state.ports.remove(&port);
        }
        state.servers.remove(&id);
        Ok(())
    }

    /// Sets a network's MTU in bytes.
    pub fn set_mtu(&self, network: &str, mtu: i64) -> Result<(), LabError> {
        self.lock().change_network(network, |network| network.mtu = mtu)
    }

    /// Shares a network with everybody, or no longer.
    pub fn set_shared(&self, network: &str, shared: bool) -> Result<(), LabError> {
        self.lock().change_network(network, |network| network.shared = shared)
    }

    /// Gives a subnet another name.
    pub fn rename_subnet(&self, subnet: &str, name: &str) -> Result<(), LabError> {
        self.lock()
            .change_subnet(subnet, |subnet| name.clone_into(&mut subnet.name))
    }

    /// Deletes a subnet. Ports keep their addresses on it: the state a reader sees in the middle of a clean-up.
    pub fn delete_subnet(&self, subnet: &str) -> Result<(), LabError> {
        let mut state = self.lock();
        let id = state.find_subnet(subnet)?;
        if let Some(subnet) = state.subnets.remove(&id) {
            state.change_network(&subnet.network, |network| {
                network.subnets.remove(&id);
            })?;
        }
        Ok(())
    }

    /// Changes a user's password; the user's tokens are revoked, which services that have cached them do not notice.
    pub fn set_password(&self, user: &str, password: &str) -> Result<(), LabError> {
        let mut state = self.lock();
        let identity = &mut state.identity;
        let found = identity.users.iter_mut().find(|candidate| candidate.name == user);
        let user = found.ok_or_else(|| unknown("user", user))?;
        password.clone_into(&mut user.password);
        for token in identity.tokens.values_mut().filter(|token| token.scope.user == user.id) {
            token.revoked = true;
        }
        Ok(())
    }

    /// Changes the envelope that Contrabass gives out.
    pub fn set_envelope(&self, provider: &str, admin_pw: &str) -> Result<(), LabError> {
        let mut state = self.lock();
        let found = state
            .providers
            .get_mut(provider)
            .ok_or_else(|| unknown("provider", provider))?;
        admin_pw.clone_into(&mut found.admin_pw);
        Ok(())
    }

    /// Ends every token; each service answers 401 from now on.
    pub fn expire_tokens(&self) {
        self.lock().identity.expire(None);
    }

    /// How many tokens were issued and have not ended.
    pub fn live_tokens(&self) -> usize {
        let now = std::time::SystemTime::now();
        self.lock()
            .identity
            .tokens
            .values()
            .filter(|token| token.expires > now && !token.revoked)
            .count()
    }

    /// Takes Keystone away or brings it back. Meanwhile it answers 503, and so do Nova and Neutron for tokens they have
    /// not seen before.
    pub fn set_keystone_down(&self, down: bool) {
        self.lock().settings.keystone_down = down;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn attach_new_port(&mut self, vm: &str, subnet: &str) -> Result<Id, LabError> {
        let id = self.find_server(vm)?;
        let project = self
            .servers
            .get(&id)
            .map_or_else(|| Id::from(""), |server| Id::clone(&server.project));
        self.make_port(subnet, &id, &project)
    }

    fn find_server(&self, vm: &str) -> Result<Id, LabError> {
        if let Some(server) = self.servers.get(vm) {
            return Ok(Id::clone(&server.id));
        }
        let named = self.servers.named(vm, u64::MAX).filter(|server| server.name == vm);
        only("VM", vm, named.map(|server| &server.id))
    }

    fn find_port(&self, port: &str) -> Result<Id, LabError> {
        if let Some(port) = self.ports.get(port) {
            return Ok(Id::clone(&port.id));
        }
        only(
            "port",
            port,
            self.ports
                .iter()
                .filter(|candidate| candidate.name == port)
                .map(|port| &port.id),
        )
    }

    fn change_port(&mut self, port: &str, change: impl FnOnce(&mut Port)) -> Result<(), LabError> {
        let id = self.find_port(port)?;
        let now = self.tick();
        if let Some(mut port) = self.ports.remove(&id) {
            change(&mut port);
            port.updated = now;
            port.revision += 1;
            self.ports.insert(port);
        }
        Ok(())
    }

    fn change_server(&mut self, vm: &str, change: impl FnOnce(&mut Server)) -> Result<(), LabError> {
        let id = self.find_server(vm)?;
        let now = self.tick();
        if let Some(mut server) = self.servers.remove(&id) {
            change(&mut server);
            server.updated = now;
            self.servers.insert(server);
        }
        Ok(())
    }

    fn find_network(&self, network: &str) -> Result<Id, LabError> {
        if let Some(network) = self.networks.get(network) {
            return Ok(Id::clone(&network.id));
        }
        let named = self.networks.values().filter(|candidate| candidate.name == network);
        only("network", network, named.map(|network| &network.id))
    }

    fn change_network(&mut self, network: &str, change: impl FnOnce(&mut Network)) -> Result<(), LabError> {
        let id = self.find_network(network)?;
        let now = self.tick();
        if let Some(network) = self.networks.get_mut(&id) {
            change(network);
            network.updated = now;
            network.revision += 1;
        }
        Ok(())
    }

    fn change_subnet(&mut self, subnet: &str, change: impl FnOnce(&mut Subnet)) -> Result<(), LabError> {
        let id = self.find_subnet(subnet)?;
        let now = self.tick();
        if let Some(subnet) = self.subnets.get_mut(&id) {
            change(subnet);
            subnet.updated = now;
            subnet.revision += 1;
        }
        Ok(())
    }
}

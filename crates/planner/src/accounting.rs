//! Third step: what each VM should have, from its ports on the subnets of the configs that select it.

use std::net::IpAddr;

use ipnet::IpNet;
use multinic_model::{
    InterfaceAddress, MacAddress, Mtu, PortId,
    inventory::{Port, PortStatus, Subnet},
};

use crate::{
    finding::{Concern, Findings, Reason, Severity},
    inventory_index::InventoryIndex,
    matching::{Config, Configs, Sight, list},
    vms::{Vm, Vms},
};

/// What the configs account for on one VM.
#[derive(Default)]
pub(crate) struct Account {
    /// Ordered by (created_at, port id), the order in which new ports get ids.
    pub ports: Vec<AccountedPort>,
    /// The MAC addresses of all live ports in question, buildable or not, sorted.
    pub macs: Vec<MacAddress>,
    /// Whether a port exists of which an interface cannot be built.
    pub incomplete: bool,
    /// Whether a port exists that cannot be told from any other.
    pub unreadable: bool,
    /// The subnets that were looked at.
    pub cidrs: Vec<IpNet>,
}

impl Account {
    /// Whether a live port in question has this MAC address.
    pub fn has(&self, mac: MacAddress) -> bool {
        self.macs.binary_search(&mac).is_ok()
    }
}

/// One port of which an interface can be built.
pub(crate) struct AccountedPort {
    pub id: PortId,
    pub created_at: i64,
    pub mac: MacAddress,
    pub status: PortStatus,
    pub address: InterfaceAddress,
    pub mtu: Mtu,
    /// The configs that select it.
    pub by: Vec<usize>,
}

/// A port on its way into the account: every address that some config selects.
struct Candidate<'a> {
    id: PortId,
    port: &'a Port,
    addresses: Vec<(IpAddr, &'a Subnet)>,
    by: Vec<usize>,
}

impl<'a> Candidate<'a> {
    fn new(id: PortId, port: &'a Port) -> Self {
        Self {
            id,
            port,
            addresses: Vec::new(),
            by: Vec::new(),
        }
    }
}

/// One account for each VM, in their order; empty for a VM that cannot be planned.
pub(crate) fn account<'a>(configs: &Configs<'a>, vms: &Vms<'a>, findings: &mut Findings<'a>) -> Vec<Account> {
    let mut accounts = Vec::with_capacity(vms.list.len());
    for (index, vm) in vms.list.iter().enumerate() {
        accounts.push(if vm.is_planned() {
            account_vm(index, vm, configs, findings)
        } else {
            Account::default()
        });
    }
    accounts
}

fn account_vm<'a>(index: usize, vm: &Vm<'a>, configs: &Configs<'a>, findings: &mut Findings<'a>) -> Account {
    let mut account = Account::default();
    let mut candidates = Vec::new();
    for config_index in &vm.selected_by {
        let Some(config) = configs.present.get(*config_index) else {
            continue;
        };
        let (Sight::Full { subnet }, Some(inventory)) = (config.sight, configs.inventory_of(config)) else {
            continue;
        };
        account.cidrs.push(subnet.cidr.trunc());
        account.unreadable |= report_unreadable(index, vm, config, inventory, findings);
        let found = collect(&mut candidates, inventory.ports(vm.id), *config_index, subnet);
        if !found && inventory.unreadable(vm.id).is_empty() {
            report_no_port((*config_index, config), (index, vm), findings);
        }
    }
    account.ports.reserve_exact(candidates.len());
    for candidate in candidates {
        account.macs.push(candidate.port.mac_address);
        match build(candidate, index, vm, configs, findings) {
            Some(port) => account.ports.push(port),
            None => account.incomplete = true,
        }
    }
    account.macs.sort_unstable();
    account.ports.sort_by_key(|port| (port.created_at, port.id));
    account
}

/// Adds the ports that have an address in `subnet`; says whether there are any.
fn collect<'a>(
    candidates: &mut Vec<Candidate<'a>>,
    ports: &[(PortId, &'a Port)],
    config: usize,
    subnet: &'a Subnet,
) -> bool {
    let mut found = false;
    for (id, port) in ports {
        let mut addresses = port.fixed_ips.iter().filter(|ip| ip.subnet_id == subnet.id).peekable();
        if addresses.peek().is_none() {
            continue;
        }
        found = true;
        // Ports come by id, so the candidates are always sorted by it.
        let place = match candidates.binary_search_by_key(id, |candidate| candidate.id) {
            Ok(place) => place,
            Err(place) => {
                candidates.insert(place, Candidate::new(*id, port));
                place
            }
        };
        let Some(candidate) = candidates.get_mut(place) else {
            continue;
        };
        candidate.addresses.extend(addresses.map(|ip| (ip.address, subnet)));
        candidate.by.push(config);
    }
    found
}

/// Takes the lowest address that lies in its subnet.
fn build<'a>(
    mut candidate: Candidate<'a>,
    index: usize,
    vm: &Vm<'a>,
    configs: &Configs<'a>,
    findings: &mut Findings<'a>,
) -> Option<AccountedPort> {
    candidate
        .addresses
        .sort_by_key(|(address, subnet)| (*address, &subnet.id));
    candidate
        .addresses
        .dedup_by_key(|(address, subnet)| (*address, &subnet.id));
    let mut built = None;
    let mut problems = Vec::new();
    for (address, subnet) in &candidate.addresses {
        match InterfaceAddress::new(*address, subnet.cidr) {
            Ok(address) => built = built.or(Some((address, subnet.mtu))),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let Candidate {
        id,
        port,
        addresses,
        by,
    } = candidate;
    let keys = || {
        by.iter()
            .filter_map(|config| configs.present.get(*config))
            .map(|config| config.key)
    };
    if !problems.is_empty() {
        let message = format!(
            "port {id} of server {} has an unusable address: {}",
            vm.label(),
            list(&problems)
        );
        let kind = (Severity::Warning, Reason::UnreadablePort);
        findings.add(kind, (id.to_string(), message), keys(), Some(Concern::Vm(index)));
    }
    let (address, mtu) = built?;
    if addresses.len() > 1 {
        let all: Vec<_> = addresses.iter().map(|(address, _)| address).collect();
        let message = format!(
            "port {id} of server {} has {} selected addresses ({}); an interface has one, {} is taken",
            vm.label(),
            all.len(),
            list(&all),
            address.address()
        );
        let kind = (Severity::Warning, Reason::SeveralAddresses);
        findings.add(kind, (id.to_string(), message), keys(), Some(Concern::Vm(index)));
    }
    Some(AccountedPort {
        id,
        created_at: port.created_at,
        mac: port.mac_address,
        status: port.status,
        address,
        mtu,
        by,
    })
}

fn report_unreadable<'a>(
    index: usize,
    vm: &Vm<'a>,
    config: &Config<'a>,
    inventory: &InventoryIndex<'a>,
    findings: &mut Findings<'a>,
) -> bool {
    let unreadable = inventory.unreadable(vm.id);
    for port in unreadable {
        let message = format!(
            "port {} of server {} cannot be understood: {}; interfaces of its node that could be this port are kept",
            port.id,
            vm.label(),
            port.problem
        );
        let kind = (Severity::Warning, Reason::UnreadablePort);
        findings.add(kind, (port.id.clone(), message), [config.key], Some(Concern::Vm(index)));
    }
    !unreadable.is_empty()
}

fn report_no_port<'a>(
    (config_index, config): (usize, &Config<'a>),
    (index, vm): (usize, &Vm<'a>),
    findings: &mut Findings<'a>,
) {
    let message = format!(
        "server {} has no port on subnet {}; attach one, or take the server out of vmNames",
        vm.label(),
        config.selection.subnet
    );
    let kind = (Severity::Warning, Reason::NoPortOnSubnet);
    let concern = Concern::VmIn(config_index, index);
    findings.add(kind, (vm.id.to_string(), message), [config.key], Some(concern));
}

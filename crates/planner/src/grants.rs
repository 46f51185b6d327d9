//! Seventh step: which ports are taken up. One MAC address is in one node only.

use multinic_model::MacAddress;

use crate::{
    Policy, Scope,
    accounting::{Account, AccountedPort},
    finding::{Concern, Findings, Reason, Severity},
    placement::{Decision, Place},
    removal::{Fate, Owner, Situation, World},
    vms::Vm,
};

/// The ports that are delivered, by VM: indices into the account's ports.
pub(crate) struct Grants {
    granted: Vec<Vec<usize>>,
}

/// A port that the node does not hold yet. Compared in this order, the lowest gets the MAC address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Newcomer {
    mac: MacAddress,
    /// Whether no other node of the same VM holds it.
    foreign: bool,
    created_at: i64,
    port: multinic_model::PortId,
    vm: usize,
    index: usize,
}

/// Why a port is not taken up.
enum Refusal<'p> {
    /// Its status.
    Status,
    /// Another live port has the MAC address: this one, or one of the VM with this label.
    Live(String),
    /// A node of this name still holds it.
    Held(&'p str),
}

impl Grants {
    pub fn decide<'a>(
        world: World<'_, 'a>,
        situation: &Situation,
        decision: &Decision,
        findings: &mut Findings<'a>,
    ) -> Self {
        let mut granted = vec![Vec::new(); world.vms.list.len()];
        let mut newcomers = Vec::new();
        for (index, vm) in world.vms.list.iter().enumerate() {
            if let (Some(account), Some(granted)) = (world.accounts.get(index), granted.get_mut(index)) {
                sort_out(
                    world,
                    situation,
                    (index, vm),
                    account,
                    granted,
                    &mut newcomers,
                    findings,
                );
            }
        }
        newcomers.sort_unstable();
        for rivals in newcomers.chunk_by(|a, b| a.mac == b.mac) {
            contest(world, situation, decision, rivals, &mut granted, findings);
        }
        for ports in &mut granted {
            ports.sort_unstable();
        }
        Self { granted }
    }

    /// The ports of a VM, in the order in which new ones get ids.
    pub fn ports<'w>(&self, world: World<'w, '_>, vm: usize) -> impl Iterator<Item = &'w AccountedPort> {
        let ports = world.accounts.get(vm).map_or(&[][..], |account| &account.ports);
        self.granted
            .get(vm)
            .into_iter()
            .flatten()
            .filter_map(move |index| ports.get(*index))
    }
}

/// Ports whose MAC address the node holds already are granted at once; the others have to apply.
fn sort_out<'a>(
    world: World<'_, 'a>,
    situation: &Situation,
    (index, vm): (usize, &Vm<'a>),
    account: &Account,
    granted: &mut Vec<usize>,
    newcomers: &mut Vec<Newcomer>,
    findings: &mut Findings<'a>,
) {
    let home = situation.home(index).and_then(|home| world.earlier.nodes.get(home));
    for (position, port) in account.ports.iter().enumerate() {
        let held = home.and_then(|home| home.items.iter().find(|item| item.mac == Some(port.mac)));
        if let Some(held) = held {
            let address = held.interface.map(|interface| interface.address);
            match rival(account, position, |rival| Some(rival.address) == address) {
                Some(rival) => refuse(world, (index, vm), port, &Refusal::Live(rival.id.to_string()), findings),
                None => granted.push(position),
            }
        } else if world.policy.port_statuses.contains(&port.status) || is_old(world, situation, index, port.mac) {
            newcomers.push(Newcomer {
                mac: port.mac,
                foreign: !is_former(world, index, port.mac),
                created_at: port.created_at,
                port: port.id,
                vm: index,
                index: position,
            });
        } else {
            refuse(world, (index, vm), port, &Refusal::Status, findings);
        }
    }
}

/// Another port of the same VM with the same MAC address that goes first: the one whose address the node has, else the
/// older one.
fn rival(account: &Account, position: usize, is_held: impl Fn(&AccountedPort) -> bool) -> Option<&AccountedPort> {
    let port = account.ports.get(position)?;
    let same = || {
        account
            .ports
            .iter()
            .enumerate()
            .filter(|(_, other)| other.mac == port.mac)
    };
    let first = same().find(|(_, other)| is_held(other)).or_else(|| same().next());
    first.filter(|(first, _)| *first != position).map(|(_, first)| first)
}

/// A port is not new if any node of the VM, or the node whose name it takes over, held its MAC address. Without a
/// read-back nobody can tell, and taking a port up removes nothing.
fn is_old(world: World<'_, '_>, situation: &Situation, vm: usize, mac: MacAddress) -> bool {
    let taken_over = || {
        let name = world.vms.list.get(vm).and_then(|vm| vm.node_name.as_ref());
        let node = name.and_then(|name| world.earlier.named(name.as_str()));
        node.is_some_and(|node| {
            situation.owners.get(node).is_some_and(|owner| owner.gives_way())
                && world.earlier.holders(mac).any(|(holder, _)| holder == node)
        })
    };
    world.earlier.known.is_none() || is_former(world, vm, mac) || taken_over()
}

fn is_former(world: World<'_, '_>, vm: usize, mac: MacAddress) -> bool {
    let nodes = world.earlier.of_instance(vm);
    !nodes.is_empty() && world.earlier.holders(mac).any(|(node, _)| nodes.contains(&node))
}

/// Everybody in `rivals` wants the same MAC address.
fn contest<'a>(
    world: World<'_, 'a>,
    situation: &Situation,
    decision: &Decision,
    rivals: &[Newcomer],
    granted: &mut [Vec<usize>],
    findings: &mut Findings<'a>,
) {
    let placed = |rival: &&Newcomer| !matches!(decision.places.get(rival.vm), Some(Some(Place::Blocked(_)) | None));
    let mut rivals = rivals.iter().filter(placed).peekable();
    let Some(first) = rivals.peek().copied() else {
        return;
    };
    let holder = world.earlier.holders(first.mac).find(|(node, item)| {
        situation
            .fates_of(*node)
            .get(*item)
            .is_some_and(|fate| !decision.removes(*node, *fate))
    });
    if holder.is_none() {
        if let Some(granted) = granted.get_mut(first.vm) {
            granted.push(first.index);
        }
        rivals.next();
    }
    for rival in rivals {
        let refusal = match holder {
            Some((node, item)) => refusal(world, situation, node, item),
            None => Refusal::Live(label(world, first.vm)),
        };
        refuse_rival(world, rival, &refusal, findings);
    }
}

fn label(world: World<'_, '_>, vm: usize) -> String {
    world.vms.list.get(vm).map(Vm::label).unwrap_or_default()
}

fn refusal<'w>(world: World<'w, '_>, situation: &Situation, node: usize, item: usize) -> Refusal<'w> {
    let present = situation.fates_of(node).get(item) == Some(&Fate::Present);
    match situation.owners.get(node) {
        Some(Owner::Home(vm)) if present => Refusal::Live(label(world, *vm)),
        _ => Refusal::Held(world.earlier.nodes.get(node).map_or("", |held| held.name.as_str())),
    }
}

fn refuse_rival<'a>(world: World<'_, 'a>, rival: &Newcomer, refusal: &Refusal<'_>, findings: &mut Findings<'a>) {
    let account = world.accounts.get(rival.vm);
    let port = account.and_then(|account| account.ports.get(rival.index));
    if let Some((vm, port)) = world.vms.list.get(rival.vm).zip(port) {
        refuse(world, (rival.vm, vm), port, refusal, findings);
    }
}

fn refuse<'a>(
    world: World<'_, 'a>,
    (index, vm): (usize, &Vm<'a>),
    port: &AccountedPort,
    refusal: &Refusal<'_>,
    findings: &mut Findings<'a>,
) {
    let configs = port.by.iter().filter_map(|config| world.configs.present.get(*config));
    let keys = configs.map(|config| config.key);
    let text = (port.id.to_string(), refusal.message(world.policy, vm, port));
    findings.add(refusal.kind(), text, keys, Some(Concern::Vm(index)));
}

impl Refusal<'_> {
    fn kind(&self) -> (Severity, Reason) {
        match self {
            Self::Status => (Severity::Warning, Reason::PortStatusNotAllowed),
            Self::Live(_) => (Severity::Error, Reason::DuplicateMac),
            Self::Held(_) => (Severity::Warning, Reason::MacHeldElsewhere),
        }
    }

    fn message(&self, policy: &Policy, vm: &Vm<'_>, port: &AccountedPort) -> String {
        let (id, server, mac) = (port.id, vm.label(), port.mac);
        match self {
            Self::Status => {
                let allowed: Vec<_> = policy.port_statuses.iter().map(ToString::to_string).collect();
                format!(
                    "port {id} of server {server} is {} and not taken up; new ports are when {}",
                    port.status,
                    allowed.join(" or ")
                )
            }
            Self::Live(other) => format!(
                "port {id} of server {server} has the MAC address {mac} of a live port of {other}; only that one is \
                 delivered, give this one a MAC address of its own"
            ),
            Self::Held(node) => format!(
                "port {id} of server {server} waits: its MAC address {mac} is still in the config of node {node}, {}",
                match policy.scope {
                    Scope::Additive => "which only --prune, or a config that selects that node, can take out",
                    Scope::WholeTruth => "and is taken up here when that node has given it up",
                }
            ),
        }
    }
}

//! Eighth step: the node configs themselves.

use std::collections::BTreeMap;

use multinic_model::{
    EarlierNode, InstanceId, Interface, InterfaceAddress, InterfaceId, MacAddress, NodeConfig, NodeName,
};

use crate::{
    accounting::{Account, AccountedPort},
    earlier_index::Held,
    grants::Grants,
    ids::Ids,
    output::{Change, PlannedNode},
    placement::{Decision, Place, Unsendable},
    removal::{Owner, Situation, World},
};

/// Everything that is decided, for the steps that only write it down.
#[derive(Clone, Copy)]
pub(crate) struct Decided<'w, 'a> {
    pub world: World<'w, 'a>,
    pub situation: &'w Situation,
    pub decision: &'w Decision,
    pub grants: &'w Grants,
}

/// What is to be said about one VM.
#[derive(Clone, Copy)]
pub(crate) enum Delivery<'w> {
    /// Its node is in the plan, under this name.
    As(&'w NodeName),
    /// The same, but nothing is left on it.
    Empty(&'w NodeName),
    /// It has no interfaces and had none.
    Nothing,
    /// Its node is not sent.
    Held(Hold<'w>),
    /// It cannot be planned; what it has stays as it is.
    Unplanned,
}

/// Why a node is not sent.
#[derive(Clone, Copy)]
pub(crate) enum Hold<'w> {
    /// This node holds the wanted name.
    Name(&'w Held<'w>),
    /// Nobody can read back what a config that cannot speak, or a port that cannot be understood, has there.
    Unknown,
    /// Nobody can read back what is to be kept until the removal is confirmed.
    Removal,
}

impl<'w> Decided<'w, '_> {
    /// Every node of the plan, and what became of every VM.
    pub fn assemble(self) -> (BTreeMap<NodeName, PlannedNode>, Vec<Delivery<'w>>) {
        let vms = 0..self.world.vms.list.len();
        let (mut planned, deliveries): (Vec<_>, Vec<_>) = vms.map(|vm| self.deliver(vm)).unzip();
        // Collected first and nearly in order: a map is built faster so than entry by entry.
        let mut nodes = Vec::with_capacity(planned.len());
        for (node, held) in self.world.earlier.nodes.iter().enumerate() {
            if !self.is_taken(node, held, &deliveries) {
                nodes.extend(self.left_node(node, held));
            } else if let Some(Owner::Home(vm)) = self.situation.owners.get(node) {
                nodes.extend(planned.get_mut(*vm).and_then(Option::take));
            }
        }
        nodes.extend(planned.into_iter().flatten());
        let named = nodes.into_iter().map(|node| (node.config.node_name.clone(), node));
        (named.collect(), deliveries)
    }

    fn deliver(self, vm: usize) -> (Option<PlannedNode>, Delivery<'w>) {
        let delivery = self.delivery(vm);
        let Delivery::As(name) = delivery else {
            return (None, delivery);
        };
        let node = self.vm_node(vm, name);
        let delivery = match &node {
            None => Delivery::Nothing,
            Some(node) if node.config.interfaces.is_empty() => Delivery::Empty(name),
            Some(_) => delivery,
        };
        (node, delivery)
    }

    /// Whether a VM is delivered under this name: its own, or the one that wants it.
    fn is_taken(self, node: usize, held: &Held<'_>, deliveries: &[Delivery<'_>]) -> bool {
        let here = |vm: usize| match deliveries.get(vm) {
            Some(Delivery::As(name) | Delivery::Empty(name)) => *name == held.name,
            _ => false,
        };
        let own = match self.situation.owners.get(node) {
            Some(Owner::Home(vm)) => here(*vm),
            _ => false,
        };
        own || self.world.vms.wanting(held.name).is_some_and(here)
    }

    fn delivery(self, vm: usize) -> Delivery<'w> {
        let Some((planned, place)) = self
            .world
            .vms
            .list
            .get(vm)
            .zip(self.decision.places.get(vm).copied().flatten())
        else {
            return Delivery::Unplanned;
        };
        let name = match place {
            Place::Wanted => planned.node_name.as_ref(),
            Place::Old(node) => self.world.earlier.nodes.get(node).map(|held| held.name),
            Place::Blocked(node) => {
                let holder = self.world.earlier.nodes.get(node);
                return holder.map_or(Delivery::Unplanned, |holder| Delivery::Held(Hold::Name(holder)));
            }
        };
        if let Some(hold) = self.decision.hold(self.world, self.situation, vm) {
            let hold = if hold == Unsendable::Waits {
                Hold::Removal
            } else {
                Hold::Unknown
            };
            return Delivery::Held(hold);
        }
        let nothing = self.situation.home(vm).is_none() && self.grants.ports(self.world, vm).next().is_none();
        name.filter(|_| !nothing).map_or(Delivery::Nothing, Delivery::As)
    }

    /// `None` if the VM moves to a name that holds nothing and takes nothing along.
    fn vm_node(self, vm: usize, name: &NodeName) -> Option<PlannedNode> {
        let planned = self.world.vms.list.get(vm)?;
        let interfaces = self.interfaces(vm);
        if interfaces.is_empty() && self.decision.moves(self.situation, vm) && !self.holds(name) {
            return None;
        }
        let home = self
            .situation
            .home(vm)
            .and_then(|home| self.world.earlier.nodes.get(home));
        let earlier = match home.filter(|held| held.name == name) {
            Some(held) => held.raw,
            None => self.world.earlier.known.and_then(|known| known.get(name)),
        };
        Some(plan_node((name, planned.id), interfaces, earlier))
    }

    /// Whether the node of this name holds anything now.
    fn holds(self, name: &NodeName) -> bool {
        self.world.earlier.named(name.as_str()).is_some()
    }

    fn interfaces(self, vm: usize) -> Vec<Interface> {
        let Some(account) = self.world.accounts.get(vm) else {
            return Vec::new();
        };
        let mut draft = Draft::default();
        let home = self
            .situation
            .home(vm)
            .and_then(|home| Some((home, self.world.earlier.nodes.get(home)?)));
        let blind = self.world.evidence.is_blind(vm);
        let mut ports: BTreeMap<MacAddress, &AccountedPort> =
            self.grants.ports(self.world, vm).map(|port| (port.mac, port)).collect();
        if let Some((home, held)) = home.filter(|_| self.world.earlier.known.is_some()) {
            for (item, fate) in held.items.iter().zip(self.situation.fates_of(home)) {
                let Some(earlier) = item.interface.filter(|_| !self.decision.removes(home, *fate)) else {
                    continue;
                };
                let port = ports.remove(&earlier.mac_address);
                draft.push(
                    Some(earlier.id),
                    port.map_or(*earlier, |port| renew(earlier, port, account, blind)),
                );
            }
        }
        let newcomers = self
            .grants
            .ports(self.world, vm)
            .filter(|port| ports.contains_key(&port.mac));
        for port in newcomers {
            draft.push(self.earlier_id(vm, port.mac), fresh(port));
        }
        draft.number()
    }

    /// The id that this MAC address had in another node of the VM, or in the node whose name it takes over.
    fn earlier_id(self, vm: usize, mac: MacAddress) -> Option<InterfaceId> {
        let planned = self.world.vms.list.get(vm)?;
        let former = self.world.earlier.of_instance(vm);
        let taken_over = planned
            .node_name
            .as_ref()
            .and_then(|name| self.world.earlier.named(name.as_str()));
        let departing = |node: &usize| self.situation.owners.get(*node).is_some_and(|owner| owner.gives_way());
        let mut nodes = former.iter().copied().chain(taken_over.filter(departing));
        nodes.find_map(|node| {
            let items = &self.world.earlier.nodes.get(node)?.items;
            let interface = items.iter().find(|item| item.mac == Some(mac))?.interface?;
            Some(interface.id)
        })
    }

    /// A node that no VM is delivered as.
    fn left_node(self, node: usize, held: &Held<'_>) -> Option<PlannedNode> {
        let fates = self.situation.fates_of(node);
        let leaves = match self.situation.owners.get(node)? {
            Owner::Home(vm) => self.decision.moves(self.situation, *vm),
            Owner::Former(_) | Owner::Displaced(_) | Owner::Departing => {
                fates.iter().all(|fate| self.decision.removes(node, *fate))
            }
            Owner::Frozen | Owner::Foreign => return None,
        };
        if leaves {
            return Some(plan_node((held.name, held.instance), Vec::new(), held.raw));
        }
        let earlier = held.raw?;
        if !fates.iter().any(|fate| self.decision.removes(node, *fate)) {
            return Some(unchanged(held.name, earlier));
        }
        let mut draft = Draft::default();
        for (item, fate) in held.items.iter().zip(fates) {
            if let Some(interface) = item.interface.filter(|_| !self.decision.removes(node, *fate)) {
                draft.push(Some(interface.id), *interface);
            }
        }
        Some(plan_node((held.name, held.instance), draft.number(), held.raw))
    }
}

fn plan_node(
    (name, instance): (&NodeName, &InstanceId),
    interfaces: Vec<Interface>,
    earlier: Option<&EarlierNode>,
) -> PlannedNode {
    let change = match earlier {
        Some(node) if node.interfaces == interfaces && node.instance_id == *instance => Change::Unchanged,
        // An empty node stays empty, whoever it was for.
        Some(node) if node.interfaces.is_empty() && interfaces.is_empty() => Change::Unchanged,
        _ if interfaces.is_empty() => Change::Withdraw,
        Some(_) => Change::Update,
        None => Change::Create,
    };
    let config = NodeConfig {
        node_name: name.clone(),
        instance_id: instance.clone(),
        interfaces,
    };
    PlannedNode { config, change }
}

fn unchanged(name: &NodeName, earlier: &EarlierNode) -> PlannedNode {
    PlannedNode {
        config: NodeConfig {
            node_name: name.clone(),
            instance_id: earlier.instance_id.clone(),
            interfaces: earlier.interfaces.clone(),
        },
        change: Change::Unchanged,
    }
}

/// Interfaces on their way into one node, those that keep an id first.
#[derive(Default)]
struct Draft {
    entries: Vec<(Option<InterfaceId>, Interface)>,
}

impl Draft {
    fn push(&mut self, id: Option<InterfaceId>, interface: Interface) {
        self.entries.push((id, interface));
    }

    /// Gives every interface its id: the first to have one keeps it, the others get the smallest free ones in order.
    fn number(self) -> Vec<Interface> {
        let mut ids = Ids::new();
        let entries: Vec<_> = self
            .entries
            .into_iter()
            .map(|(id, interface)| (id.filter(|id| ids.keep(*id)), interface))
            .collect();
        let mut interfaces: Vec<_> = entries
            .into_iter()
            .map(|(id, interface)| Interface {
                id: id.unwrap_or_else(|| ids.smallest_free()),
                ..interface
            })
            .collect();
        interfaces.sort_by_key(|interface| interface.id);
        interfaces
    }
}

fn fresh(port: &AccountedPort) -> Interface {
    Interface {
        id: InterfaceId::FIRST,
        mac_address: port.mac,
        address: port.address,
        mtu: port.mtu,
    }
}

/// What a port that the node holds looks like now. While some config cannot speak, an address of a subnet that nobody
/// who can speak names is that config's, and stays.
fn renew(earlier: &Interface, port: &AccountedPort, account: &Account, blind: bool) -> Interface {
    let others = blind && !account.cidrs.contains(&earlier.address.cidr());
    let address: InterfaceAddress = if others { earlier.address } else { port.address };
    Interface {
        id: earlier.id,
        mac_address: earlier.mac_address,
        address,
        mtu: port.mtu,
    }
}

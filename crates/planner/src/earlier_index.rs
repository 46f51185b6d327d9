//! What the nodes hold now, as far as it is known: the read-back, or without one what was planned and claimed before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use multinic_model::{Earlier, EarlierNode, InstanceId, Interface, MacAddress, NodeName, UnreadableNode};

use crate::{Claim, RemovalLedger, matching::Configs, vms::Vms};

/// Every node that holds something, by name.
pub(crate) struct EarlierIndex<'a> {
    pub nodes: Vec<Held<'a>>,
    /// What was read back; `None` if the management API offers no read-back.
    pub known: Option<&'a BTreeMap<NodeName, EarlierNode>>,
    /// How many interfaces all nodes hold.
    pub total: usize,
    /// By number of the instance.
    by_instance: Vec<Vec<usize>>,
    /// The numbers of the owners that are no VM.
    others: HashMap<&'a InstanceId, usize>,
    /// (MAC, node, item), sorted.
    holders: Vec<(MacAddress, usize, usize)>,
}

/// A node that holds something.
pub(crate) struct Held<'a> {
    pub name: &'a NodeName,
    pub instance: &'a InstanceId,
    /// The number of the instance: that of the VM if it is one, else a later one.
    pub owner: usize,
    /// As it was read back.
    pub raw: Option<&'a EarlierNode>,
    /// Whether it cannot be understood and has to stay exactly as it is.
    pub unreadable: bool,
    pub items: Vec<Item<'a>>,
}

/// One interface of a node.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    /// `None`: the node holds something, nobody knows what.
    pub mac: Option<MacAddress>,
    /// `None` without a read-back.
    pub interface: Option<&'a Interface>,
}

impl<'a> EarlierIndex<'a> {
    pub fn new(earlier: &'a Earlier, ledger: &'a RemovalLedger, configs: &Configs<'a>, vms: &Vms<'a>) -> Self {
        let (nodes, known) = match earlier {
            Earlier::Known(nodes) => (read_back(nodes), Some(nodes)),
            Earlier::Partly { nodes, unreadable } => (partly(nodes, unreadable), Some(nodes)),
            Earlier::NotOffered => (remembered(ledger, configs, vms), None),
        };
        let mut index = Self {
            total: nodes.iter().map(|node| node.items.len()).sum(),
            holders: Vec::with_capacity(nodes.iter().map(|node| node.items.len()).sum()),
            by_instance: vec![Vec::new(); vms.list.len()],
            others: HashMap::new(),
            nodes,
            known,
        };
        index.number(vms);
        index
    }

    fn number(&mut self, vms: &Vms<'a>) {
        for (node, held) in self.nodes.iter_mut().enumerate() {
            let next = self.by_instance.len();
            let vm = vms.index_of(held.instance);
            held.owner = vm.unwrap_or_else(|| *self.others.entry(held.instance).or_insert(next));
            if held.owner == next {
                self.by_instance.push(Vec::new());
            }
            if let Some(nodes) = self.by_instance.get_mut(held.owner) {
                nodes.push(node);
            }
            let macs = held.items.iter().enumerate();
            self.holders
                .extend(macs.filter_map(|(item, held)| Some((held.mac?, node, item))));
        }
        self.holders.sort_unstable();
    }

    /// How many instances have a number.
    pub fn instances(&self) -> usize {
        self.by_instance.len()
    }

    /// The number of an instance, if it is a VM or owns a node.
    pub fn number_of(&self, id: &InstanceId, vms: &Vms<'_>) -> Option<usize> {
        vms.index_of(id).or_else(|| self.others.get(id).copied())
    }

    /// The nodes of one instance, by name.
    pub fn of_instance(&self, number: usize) -> &[usize] {
        self.by_instance.get(number).map_or(&[], Vec::as_slice)
    }

    /// The node of this name.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.nodes.binary_search_by(|node| node.name.as_str().cmp(name)).ok()
    }

    /// Every (node, item) that holds this MAC address.
    pub fn holders(&self, mac: MacAddress) -> impl Iterator<Item = (usize, usize)> {
        let start = self.holders.partition_point(|(held, ..)| *held < mac);
        let holders = self
            .holders
            .iter()
            .skip(start)
            .take_while(move |(held, ..)| *held == mac);
        holders.map(|(_, node, item)| (*node, *item))
    }
}

/// Of two entries with one MAC address, which only a foreign client can have made, the first counts.
fn read_back<'a>(nodes: &'a BTreeMap<NodeName, EarlierNode>) -> Vec<Held<'a>> {
    let held = |(name, node): (_, &'a EarlierNode)| {
        let mut seen = BTreeSet::new();
        let first = node
            .interfaces
            .iter()
            .filter(|interface| seen.insert(interface.mac_address));
        let items = first.map(|interface| Item {
            mac: Some(interface.mac_address),
            interface: Some(interface),
        });
        Held {
            name,
            instance: &node.instance_id,
            owner: 0,
            raw: Some(node),
            unreadable: false,
            items: items.collect(),
        }
    };
    nodes
        .iter()
        .filter(|(_, node)| !node.interfaces.is_empty())
        .map(held)
        .collect()
}

/// Those that can be read and those that cannot, by name.
fn partly<'a>(
    nodes: &'a BTreeMap<NodeName, EarlierNode>,
    unreadable: &'a BTreeMap<NodeName, UnreadableNode>,
) -> Vec<Held<'a>> {
    let held = |(name, node): (_, &'a UnreadableNode)| {
        let items = node.macs.iter().map(|mac| Item {
            mac: Some(*mac),
            interface: None,
        });
        Held {
            name,
            instance: &node.instance_id,
            owner: 0,
            raw: None,
            unreadable: true,
            items: items.collect(),
        }
    };
    let mut all = read_back(nodes);
    all.extend(unreadable.iter().map(held));
    all.sort_by_key(|node| node.name);
    all
}

/// Without a read-back: what the last plan sent, and for nodes that only a status list names, something unknown.
fn remembered<'a>(ledger: &'a RemovalLedger, configs: &Configs<'a>, vms: &Vms<'a>) -> Vec<Held<'a>> {
    let mut nodes: BTreeMap<&NodeName, Held<'_>> = BTreeMap::new();
    for (name, node) in &ledger.remembered {
        let items = node.macs.iter().map(|mac| Item {
            mac: Some(*mac),
            interface: None,
        });
        let held = Held {
            name,
            instance: &node.instance,
            owner: 0,
            raw: None,
            unreadable: false,
            items: items.collect(),
        };
        nodes.insert(name, held);
    }
    for claim in claims(configs) {
        let held = nodes.entry(&claim.node_name).or_insert_with(|| Held {
            name: &claim.node_name,
            instance: &claim.instance_id,
            owner: 0,
            raw: None,
            unreadable: false,
            items: vec![Item {
                mac: None,
                interface: None,
            }],
        });
        // Two status lists may disagree about a name: the server that has it now is the likely one.
        let wanted = vms
            .index_of(&claim.instance_id)
            .is_some_and(|vm| vms.wanting(held.name) == Some(vm));
        if wanted && !ledger.remembered.contains_key(held.name) {
            held.instance = &claim.instance_id;
        }
    }
    nodes.into_values().collect()
}

fn claims<'a>(configs: &Configs<'a>) -> BTreeSet<&'a Claim> {
    let present = configs.present.iter().flat_map(|config| config.delivered);
    let silent = configs.held.iter().chain(&configs.departed);
    present.chain(silent.flat_map(|config| config.delivered)).collect()
}

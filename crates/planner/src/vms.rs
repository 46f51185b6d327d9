//! Second step: the VMs that the configs select, each once, with its node name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use multinic_model::{ConfigKey, Earlier, InstanceId, NodeName, inventory::Server};

use crate::{
    finding::{Concern, Findings, Reason, Severity},
    matching::{Config, Configs, Match, Sight, list},
};

/// Every selected VM, in the order of the (sorted) configs and their entries.
pub(crate) struct Vms<'a> {
    pub list: Vec<Vm<'a>>,
    by_id: HashMap<&'a InstanceId, usize>,
    matched: Vec<Vec<Option<usize>>>,
    /// The VM that is to be delivered under a name.
    by_name: HashMap<NodeName, usize>,
    /// Names that several VMs want.
    pub contested: BTreeSet<NodeName>,
}

/// A server that at least one config selects.
pub(crate) struct Vm<'a> {
    pub id: &'a InstanceId,
    pub server: &'a Server,
    pub node_name: Option<NodeName>,
    /// Indices of the configs, ascending.
    pub selected_by: Vec<usize>,
    pub standing: Standing,
}

/// Whether a VM can be planned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    Planned,
    /// No config that selects it has its subnet.
    NoSubnet,
    InvalidName,
    DuplicateName,
    /// A node of it cannot be understood: it stays as it is, and nothing of it may appear elsewhere.
    Unreadable,
}

impl<'a> Vm<'a> {
    pub fn is_planned(&self) -> bool {
        self.standing == Standing::Planned
    }

    /// How messages call it.
    pub fn label(&self) -> String {
        match self.server.name.as_str() {
            "" => self.id.to_string(),
            name => format!("{name} ({})", self.id),
        }
    }

    pub fn keys(&self, configs: &Configs<'a>) -> Vec<&'a ConfigKey> {
        self.selected_by
            .iter()
            .filter_map(|config| configs.present.get(*config))
            .map(|config| config.key)
            .collect()
    }
}

impl<'a> Vms<'a> {
    pub fn gather(configs: &Configs<'a>, earlier: &'a Earlier, findings: &mut Findings<'a>) -> Self {
        let mut list: Vec<Vm<'_>> = Vec::new();
        let mut by_id: HashMap<&InstanceId, usize> = HashMap::new();
        for (index, config) in configs.present.iter().enumerate() {
            for (_, found) in &config.matches {
                if let Match::Server(id, server) = found {
                    let vm = *by_id.entry(id).or_insert_with(|| {
                        list.push(Vm::new(id, server));
                        list.len() - 1
                    });
                    list.iter_mut()
                        .skip(vm)
                        .take(1)
                        .for_each(|vm| vm.add(index, config.sight));
                }
            }
        }
        let mut vms = Self {
            matched: configs.present.iter().map(|config| matched(config, &by_id)).collect(),
            by_name: HashMap::with_capacity(list.len()),
            by_id,
            list,
            contested: BTreeSet::new(),
        };
        vms.report_invalid(configs, findings);
        vms.report_unreadable(configs, earlier, findings);
        vms.find_duplicates(configs, findings);
        vms
    }

    pub fn index_of(&self, id: &InstanceId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The VM that each entry of a config means, in their order.
    pub fn matched(&self, config: usize) -> &[Option<usize>] {
        self.matched.get(config).map_or(&[], Vec::as_slice)
    }

    /// Whether this config selects the VM of this id.
    pub fn selects(&self, config: usize, id: &InstanceId) -> bool {
        let vm = self.index_of(id).and_then(|vm| self.list.get(vm));
        vm.is_some_and(|vm| vm.selected_by.contains(&config))
    }

    /// The planned VM that wants this name.
    pub fn wanting(&self, name: &NodeName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn report_invalid(&mut self, configs: &Configs<'a>, findings: &mut Findings<'a>) {
        for (index, vm) in self.list.iter_mut().enumerate() {
            let Err(error) = node_name(vm.id, vm.server).parse::<NodeName>() else {
                continue;
            };
            vm.standing = Standing::InvalidName;
            let message = format!(
                "server {} cannot be delivered, its node stays as it is: {error}",
                vm.label()
            );
            findings.add(
                (Severity::Error, Reason::InvalidNodeName),
                (vm.id.to_string(), message),
                vm.keys(configs),
                Some(Concern::Vm(index)),
            );
        }
    }

    fn report_unreadable(&mut self, configs: &Configs<'a>, earlier: &'a Earlier, findings: &mut Findings<'a>) {
        let Earlier::Partly { unreadable, .. } = earlier else {
            return;
        };
        for (name, node) in unreadable {
            let index = self.by_id.get(&node.instance_id).copied();
            let vm = index.and_then(|index| self.list.get_mut(index));
            let mut keys = vm.as_ref().map(|vm| vm.keys(configs)).unwrap_or_default();
            keys.extend(configs.claiming(name, &node.instance_id));
            if let Some(vm) = vm {
                vm.standing = Standing::Unreadable;
            }
            let message = format!(
                "node {name} of server {} cannot be understood as it is in the management API: {}; it stays so until it is \
                 corrected or deleted there",
                node.instance_id, node.problem
            );
            let severity = if keys.is_empty() {
                Severity::Warning
            } else {
                Severity::Error
            };
            let kind = (severity, Reason::UnreadableNode);
            findings.add(kind, (name.to_string(), message), keys, index.map(Concern::Vm));
        }
    }

    /// A VM without a subnet counts too: it lives under its name whether or not it can be accounted for.
    fn find_duplicates(&mut self, configs: &Configs<'a>, findings: &mut Findings<'a>) {
        let mut wanting: BTreeMap<&NodeName, Vec<usize>> = BTreeMap::new();
        for (index, vm) in self.list.iter().enumerate() {
            if let Some(name) = &vm.node_name {
                wanting.entry(name).or_default().push(index);
            }
        }
        let mut duplicates = Vec::new();
        for (name, wanting) in wanting {
            if wanting.len() > 1 {
                self.contested.insert(name.clone());
                duplicates.push((name.clone(), wanting));
            } else {
                let planned = wanting
                    .into_iter()
                    .filter(|index| self.list.get(*index).is_some_and(Vm::is_planned));
                self.by_name.extend(planned.map(|index| (name.clone(), index)));
            }
        }
        for (name, wanting) in duplicates {
            let vms: Vec<_> = wanting.iter().filter_map(|index| self.list.get(*index)).collect();
            let labels: Vec<_> = vms.iter().map(|vm| vm.label()).collect();
            let keys: Vec<_> = vms.iter().flat_map(|vm| vm.keys(configs)).collect();
            let message = format!(
                "{} servers have the node name {name}: {}; none of them is delivered until all but one are renamed or \
                 taken out of vmNames",
                labels.len(),
                list(&labels)
            );
            for index in wanting {
                let text = (name.to_string(), message.clone());
                let kind = (Severity::Error, Reason::DuplicateNodeName);
                findings.add(kind, text, keys.iter().copied(), Some(Concern::Vm(index)));
                if let Some(vm) = self.list.get_mut(index) {
                    vm.standing = Standing::DuplicateName;
                }
            }
        }
    }
}

impl<'a> Vm<'a> {
    fn new(id: &'a InstanceId, server: &'a Server) -> Self {
        Self {
            id,
            server,
            node_name: node_name(id, server).parse().ok(),
            selected_by: Vec::new(),
            standing: Standing::NoSubnet,
        }
    }

    fn add(&mut self, config: usize, sight: Sight<'a>) {
        if self.selected_by.last() != Some(&config) {
            self.selected_by.push(config);
        }
        if matches!(sight, Sight::Full { .. }) {
            self.standing = Standing::Planned;
        }
    }
}

fn matched(config: &Config<'_>, by_id: &HashMap<&InstanceId, usize>) -> Vec<Option<usize>> {
    let vm = |found: &Match<'_>| match found {
        Match::Server(id, _) => by_id.get(id).copied(),
        Match::NotFound | Match::Ambiguous(_) | Match::Unread => None,
    };
    config.matches.iter().map(|(_, found)| vm(found)).collect()
}

/// The text that names the node (contract 3.5).
pub(crate) fn node_name<'a>(id: &'a InstanceId, server: &'a Server) -> &'a str {
    let metadata = server.metadata_node_name.as_deref().filter(|value| !value.is_empty());
    let name = Some(server.name.as_str()).filter(|name| !name.is_empty());
    metadata.or(name).unwrap_or(id.as_str())
}

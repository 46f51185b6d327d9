//! Last step, onwards: what the next plan must know.

use std::collections::BTreeMap;

use multinic_model::NodeName;

use crate::{
    RemovalLedger,
    assemble::Decided,
    earlier_index::Held,
    ledger::{Remembered, SeenRename},
    output::PlannedNode,
    placement::Place,
    removal::{Fate, Keep, Owner},
};

impl Decided<'_, '_> {
    /// The ledger after this reading. What cannot be judged now neither counts nor is forgotten.
    pub fn next_ledger(self, nodes: &BTreeMap<NodeName, PlannedNode>) -> RemovalLedger {
        let mut next = RemovalLedger::default();
        for (node, held) in self.world.earlier.nodes.iter().enumerate() {
            let Some(owner) = self
                .situation
                .owners
                .get(node)
                .filter(|owner| **owner != Owner::Foreign)
            else {
                continue;
            };
            for (item, fate) in held.items.iter().zip(self.situation.fates_of(node)) {
                let count = match fate {
                    Fate::Missed(count) => *count,
                    Fate::Kept(Keep::Blind | Keep::Unreadable | Keep::Untouched) => {
                        self.world.ledger.missed(held.name, held.instance, item.mac)
                    }
                    Fate::Present | Fate::Leaving | Fate::Kept(Keep::Additive) => 0,
                };
                if count > 0 {
                    next.set_missed(held.name, held.instance, item.mac, count);
                }
            }
            self.remember_rename(&mut next, *owner, held);
            self.remember_held(&mut next, nodes, held);
        }
        self.remember_planned(&mut next, nodes);
        next
    }

    fn remember_rename(self, next: &mut RemovalLedger, owner: Owner, held: &Held<'_>) {
        let seen = match owner {
            Owner::Home(vm) => {
                let wanted = self.world.vms.list.get(vm).and_then(|vm| vm.node_name.clone());
                let rename = self.situation.renames.get(&vm).filter(|rename| rename.count > 0);
                rename.zip(wanted).map(|(rename, to)| SeenRename {
                    instance: held.instance.clone(),
                    to,
                    count: rename.count,
                })
            }
            Owner::Frozen => {
                let seen = self.world.ledger.renames.get(held.name);
                seen.filter(|seen| seen.instance == *held.instance).cloned()
            }
            Owner::Former(_) | Owner::Displaced(_) | Owner::Departing | Owner::Foreign => None,
        };
        next.renames.extend(seen.map(|seen| (held.name.clone(), seen)));
    }

    /// Without a read-back: a node that is not sent goes on holding what it held.
    fn remember_held(self, next: &mut RemovalLedger, nodes: &BTreeMap<NodeName, PlannedNode>, held: &Held<'_>) {
        if self.world.earlier.known.is_none() && !nodes.contains_key(held.name) {
            let remembered = self.world.ledger.remembered.get(held.name).cloned();
            next.remembered.extend(remembered.map(|node| (held.name.clone(), node)));
        }
    }

    fn remember_planned(self, next: &mut RemovalLedger, nodes: &BTreeMap<NodeName, PlannedNode>) {
        if self.world.earlier.known.is_some() {
            return;
        }
        for node in nodes.values().filter(|node| !node.config.interfaces.is_empty()) {
            let remembered = Remembered {
                instance: node.config.instance_id.clone(),
                macs: node
                    .config
                    .interfaces
                    .iter()
                    .map(|interface| interface.mac_address)
                    .collect(),
            };
            next.remembered.insert(node.config.node_name.clone(), remembered);
        }
    }

    /// Whether further agreeing readings may deliver something that this plan does not.
    pub fn awaits_confirmation(self) -> bool {
        if self.decision.held.is_some() {
            return self.world.policy.held_removal_confirmations.is_some();
        }
        let needed = self.world.policy.removal_confirmations.get();
        let waits = |fate: &Fate| matches!(fate, Fate::Missed(count) if *count < needed);
        let mut renames = self.situation.renames.iter();
        let renaming = renames.any(|(vm, rename)| {
            let stays = matches!(self.decision.places.get(*vm), Some(Some(Place::Old(_))));
            stays && !rename.waits && rename.count < needed
        });
        renaming || self.situation.fates.iter().flatten().any(waits)
    }
}

//! Ninth step: what is to be said about removals, renames and held nodes.

use multinic_model::{ClusterId, ConfigKey, NodeName};

use crate::{
    Scope,
    assemble::{Decided, Delivery, Hold},
    earlier_index::Held,
    finding::{Concern, Findings, Reason, Severity},
    matching::list,
    placement::{MassRemoval, Place},
    removal::{Fate, Keep, Owner, Rename},
};

impl<'a> Decided<'_, 'a> {
    pub fn report(self, cluster: &ClusterId, deliveries: &[Delivery<'_>], findings: &mut Findings<'a>) {
        self.report_no_read_back(cluster, deliveries, findings);
        for (node, held) in self.world.earlier.nodes.iter().enumerate() {
            self.report_kept(node, held, findings);
            self.report_pending(node, held, findings);
        }
        for (vm, rename) in &self.situation.renames {
            self.report_rename(*vm, *rename, findings);
        }
        for (vm, delivery) in deliveries.iter().enumerate() {
            self.report_hold(vm, *delivery, findings);
        }
        if let Some(mass) = self.decision.held {
            self.report_mass(cluster, mass, findings);
        }
    }

    /// The configs that have to do with a node.
    fn keys(self, node: usize, held: &Held<'_>) -> Vec<&'a ConfigKey> {
        let evidence = self.world.evidence.of(held.owner);
        let mut keys: Vec<_> = evidence
            .into_iter()
            .flat_map(|evidence| evidence.configs.iter().copied())
            .collect();
        if self.situation.owners.get(node).is_some_and(|owner| owner.gives_way()) {
            keys.extend(
                self.world
                    .vms
                    .wanting(held.name)
                    .into_iter()
                    .flat_map(|vm| self.vm_keys(vm)),
            );
        }
        keys
    }

    fn vm_keys(self, vm: usize) -> Vec<&'a ConfigKey> {
        let selected_by = self.world.vms.list.get(vm).map_or(&[][..], |vm| &vm.selected_by);
        let configs = selected_by
            .iter()
            .filter_map(|config| self.world.configs.present.get(*config));
        configs.map(|config| config.key).collect()
    }

    fn concern(self, node: usize) -> Option<Concern<'a>> {
        match self.situation.owners.get(node)? {
            Owner::Home(vm) | Owner::Former(vm) => Some(Concern::Vm(*vm)),
            Owner::Displaced(_) | Owner::Departing | Owner::Frozen | Owner::Foreign => None,
        }
    }

    /// The MAC addresses of those interfaces of a node whose fate is this.
    fn macs(self, node: usize, held: &Held<'_>, is: impl Fn(Fate) -> bool) -> Vec<String> {
        let items = held
            .items
            .iter()
            .zip(self.situation.fates_of(node))
            .filter(|(_, fate)| is(**fate));
        items
            .map(|(item, _)| item.mac.map_or_else(|| "all it has".to_owned(), |mac| mac.to_string()))
            .collect()
    }

    fn report_no_read_back(self, cluster: &ClusterId, deliveries: &[Delivery<'_>], findings: &mut Findings<'a>) {
        let delivers = deliveries
            .iter()
            .any(|delivery| matches!(delivery, Delivery::As(_) | Delivery::Empty(_)));
        if self.world.earlier.known.is_some() || !delivers {
            return;
        }
        let (severity, consequence) = match self.world.policy.scope {
            Scope::Additive => (Severity::Warning, "interfaces that others put there are replaced"),
            Scope::WholeTruth => (Severity::Info, "interface ids follow the age of the ports"),
        };
        let message = format!("the management API of cluster {cluster} cannot be read back; {consequence}");
        let keys = self.world.configs.present.iter().map(|config| config.key);
        findings.add(
            (severity, Reason::NoReadBack),
            (cluster.to_string(), message),
            keys,
            None,
        );
    }

    fn report_kept(self, node: usize, held: &Held<'_>, findings: &mut Findings<'a>) {
        let fates = self.situation.fates_of(node);
        let mut keeps: Vec<_> = fates.iter().filter_map(|fate| keep(*fate)).collect();
        keeps.sort_unstable();
        keeps.dedup();
        for why in keeps {
            let macs = self.macs(node, held, |fate| fate == Fate::Kept(why));
            let because = match why {
                Keep::Additive => "these configs do not account for; --prune removes them",
                Keep::Blind => "may belong to a config that cannot be resolved now",
                Keep::Unreadable => "may be the port that cannot be understood",
                Keep::Untouched => continue,
            };
            let message = format!("node {} keeps interfaces that {because}: {}", held.name, list(&macs));
            let kind = (Severity::Warning, Reason::InterfaceKept);
            findings.add(
                kind,
                (held.name.to_string(), message),
                self.keys(node, held),
                self.concern(node),
            );
        }
    }

    fn report_pending(self, node: usize, held: &Held<'_>, findings: &mut Findings<'a>) {
        let waits = |fate: Fate| self.decision.postpones(node, fate);
        let macs = self.macs(node, held, waits);
        if macs.is_empty() {
            return;
        }
        if self.decision.held.is_some() {
            if let Some(concern) = self.concern(node) {
                findings.mark(concern, (Severity::Error, Reason::RemovalHeld));
            }
            return;
        }
        let message = format!(
            "node {} has interfaces that no config accounts for any more: {}; they are removed when {} complete readings in a \
             row agree",
            held.name,
            list(&macs),
            self.world.policy.removal_confirmations
        );
        let kind = (Severity::Warning, Reason::RemovalPending);
        findings.add(
            kind,
            (held.name.to_string(), message),
            self.keys(node, held),
            self.concern(node),
        );
    }

    fn report_rename(self, vm: usize, rename: Rename, findings: &mut Findings<'a>) {
        let Some((planned, home)) = self.world.vms.list.get(vm).zip(self.situation.home(vm)) else {
            return;
        };
        let Some((wanted, old)) = planned.node_name.as_ref().zip(self.world.earlier.nodes.get(home)) else {
            return;
        };
        let needed = self.world.policy.removal_confirmations.get();
        let moved = self.decision.places.get(vm) == Some(&Some(Place::Wanted));
        let (severity, state) = if moved {
            (Severity::Info, "the old name's config is withdrawn".to_owned())
        } else if rename.waits {
            (
                Severity::Warning,
                "the old name stays while a config that may select it cannot be resolved".to_owned(),
            )
        } else if self.decision.held.is_some() {
            findings.mark(Concern::Vm(vm), (Severity::Error, Reason::RemovalHeld));
            (
                Severity::Warning,
                "the old name stays while the mass removal is held".to_owned(),
            )
        } else if rename.count >= needed {
            (
                Severity::Warning,
                "the old name stays until the new one is free".to_owned(),
            )
        } else {
            (
                Severity::Warning,
                format!("the old name stays until {needed} complete readings in a row agree"),
            )
        };
        let message = format!(
            "server {} is now node {wanted}, before {}; {state}",
            planned.label(),
            old.name
        );
        let kind = (severity, Reason::NodeRenamed);
        findings.add(
            kind,
            (old.name.to_string(), message),
            self.vm_keys(vm),
            Some(Concern::Vm(vm)),
        );
    }

    fn report_hold(self, vm: usize, delivery: Delivery<'_>, findings: &mut Findings<'a>) {
        let (Delivery::Held(hold), Some(planned)) = (delivery, self.world.vms.list.get(vm)) else {
            return;
        };
        let name = planned.node_name.as_ref().map(NodeName::as_str).unwrap_or_default();
        let message = match hold {
            Hold::Removal => return,
            Hold::Name(holder) => format!(
                "server {} is not delivered: node {name} holds the interfaces of server {}, {}",
                planned.label(),
                holder.instance,
                self.remedy(holder)
            ),
            Hold::Unknown => format!(
                "node {name} of server {} is not sent: the management API cannot be read back, and sending would remove \
                 what a config that cannot be resolved, or a port that cannot be understood, has there",
                planned.label()
            ),
        };
        let passes = matches!(hold, Hold::Name(holder) if self.is_leaving(holder));
        let severity = if passes { Severity::Warning } else { Severity::Error };
        let text = (name.to_owned(), message);
        findings.add(
            (severity, Reason::NodeHeld),
            text,
            self.vm_keys(vm),
            Some(Concern::Vm(vm)),
        );
    }

    /// Whether the holder of a name gives it up by itself, sooner or later.
    pub fn is_leaving(self, holder: &Held<'_>) -> bool {
        matches!(
            self.owner_of(holder),
            Some(Owner::Departing | Owner::Displaced(_) | Owner::Former(_) | Owner::Home(_))
        )
    }

    fn owner_of(self, held: &Held<'_>) -> Option<Owner> {
        let node = self.world.earlier.named(held.name.as_str())?;
        self.situation.owners.get(node).copied()
    }

    fn remedy(self, holder: &Held<'_>) -> &'static str {
        match (self.owner_of(holder), self.world.policy.scope) {
            (Some(Owner::Departing | Owner::Displaced(_) | Owner::Former(_) | Owner::Home(_)), _) => {
                "which have to be gone first"
            }
            (Some(Owner::Frozen), _) => "which cannot be planned now",
            (_, Scope::Additive) => "which only --prune replaces",
            (_, Scope::WholeTruth) => "which exists and has this name too; rename one of the two",
        }
    }

    fn report_mass(self, cluster: &ClusterId, mass: MassRemoval, findings: &mut Findings<'a>) {
        let MassRemoval { leaving, total } = mass;
        let message = format!(
            "{leaving} of the {total} interfaces of cluster {cluster} would be removed by readings alone, nothing of it \
             is; allow the mass removal if it is meant, else look for what is missing in OpenStack"
        );
        let existing = self.world.configs.existing();
        let keys = existing.chain(self.world.configs.departed.iter().map(|config| config.key));
        findings.add(
            (Severity::Error, Reason::RemovalHeld),
            (cluster.to_string(), message),
            keys,
            None,
        );
    }
}

fn keep(fate: Fate) -> Option<Keep> {
    match fate {
        Fate::Kept(keep) => Some(keep),
        Fate::Present | Fate::Leaving | Fate::Missed(_) => None,
    }
}

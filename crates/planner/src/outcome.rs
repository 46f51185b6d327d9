//! Last step, outwards: what each config learns about its VMs and what it answers for from now on.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{ConfigKey, InstanceId, NodeName, VmSelector};

use crate::{
    Claim,
    assemble::{Decided, Delivery, Hold},
    finding::{Concern, Findings},
    matching::{Config, Match, Sight},
    output::{PlannedNode, VmOutcome, VmState},
    placement::Place,
    removal::{Fate, Owner},
    vms::{Standing, Vm},
};

impl<'a> Decided<'_, 'a> {
    /// One outcome for each entry of each config.
    pub fn outcomes(
        self,
        deliveries: &[Delivery<'_>],
        findings: &Findings<'a>,
    ) -> BTreeMap<(ConfigKey, VmSelector), VmOutcome> {
        let mut outcomes = BTreeMap::new();
        for (index, config) in self.world.configs.present.iter().enumerate() {
            for (selector, found) in &config.matches {
                let vm = found.server().and_then(|id| self.world.vms.get(id));
                let outcome = match vm {
                    Some((vm, planned)) => self.found((index, config), (vm, planned), deliveries, findings),
                    None => not_found(index, selector, found, findings),
                };
                outcomes.insert((config.key.clone(), (*selector).clone()), outcome);
            }
        }
        outcomes
    }

    fn found(
        self,
        (index, config): (usize, &Config<'a>),
        (vm, planned): (usize, &Vm<'a>),
        deliveries: &[Delivery<'_>],
        findings: &Findings<'a>,
    ) -> VmOutcome {
        let concerns = [Concern::Config(index), Concern::Vm(vm), Concern::VmIn(index, vm)];
        let delivery = deliveries.get(vm).copied().unwrap_or(Delivery::Unplanned);
        let interfaces = match delivery {
            Delivery::As(_) => self
                .grants
                .ports(self.world, vm)
                .filter(|port| port.by.contains(&index))
                .count(),
            Delivery::Nothing | Delivery::Held(_) | Delivery::Unplanned => 0,
        };
        VmOutcome {
            instance: Some(planned.id.clone()),
            node: self.node_of(vm, delivery).cloned(),
            interfaces,
            state: match config.sight {
                Sight::Full { .. } => self.state(vm, planned.standing, delivery),
                Sight::NoSubnet | Sight::Blind => VmState::Held,
            },
            finding: findings.worst(&concerns).map(|(_, reason)| reason),
        }
    }

    fn state(self, vm: usize, standing: Standing, delivery: Delivery<'_>) -> VmState {
        let waits = match self.decision.held {
            Some(_) => VmState::Held,
            None => VmState::Pending,
        };
        match (standing, delivery) {
            (Standing::InvalidName | Standing::DuplicateName, _) => VmState::Failed,
            (Standing::Planned, Delivery::Held(Hold::Removal)) => waits,
            (Standing::Planned, Delivery::Held(Hold::Name(holder))) if self.is_leaving(holder) => waits,
            (Standing::NoSubnet, _)
            | (Standing::Planned, Delivery::Unplanned | Delivery::Held(Hold::Name(_) | Hold::Unknown)) => VmState::Held,
            (Standing::Planned, Delivery::As(_) | Delivery::Nothing) if self.is_waiting(vm) => waits,
            (Standing::Planned, Delivery::As(_) | Delivery::Nothing) => VmState::Planned,
        }
    }

    /// Whether a removal or the rename of this VM is not delivered yet.
    fn is_waiting(self, vm: usize) -> bool {
        let home = self.situation.home(vm);
        let missed = |home| {
            let mut fates = self.situation.fates_of(home).iter();
            fates.any(|fate| self.decision.postpones(home, *fate))
        };
        matches!(self.decision.places.get(vm), Some(Some(Place::Old(_)))) || home.is_some_and(missed)
    }

    /// The node that holds the VM's interfaces after this plan.
    fn node_of<'d>(&'d self, vm: usize, delivery: Delivery<'d>) -> Option<&'d NodeName> {
        match delivery {
            Delivery::As(name) => Some(name),
            Delivery::Nothing => None,
            Delivery::Held(_) | Delivery::Unplanned => {
                let home = self
                    .situation
                    .home(vm)
                    .and_then(|home| self.world.earlier.nodes.get(home));
                home.map(|held| held.name)
            }
        }
    }

    /// What every config answers for once the plan is delivered.
    pub fn claims(
        self,
        deliveries: &[Delivery<'_>],
        nodes: &BTreeMap<NodeName, PlannedNode>,
    ) -> BTreeMap<ConfigKey, BTreeSet<Claim>> {
        let mut claims: BTreeMap<ConfigKey, BTreeSet<Claim>> = BTreeMap::new();
        let is_empty = |claim: &Claim| {
            let node = nodes.get(&claim.node_name);
            node.is_some_and(|node| node.config.interfaces.is_empty())
        };
        for config in &self.world.configs.present {
            let claims = claims.entry(config.key.clone()).or_default();
            if matches!(config.sight, Sight::Blind) {
                claims.extend(config.delivered.iter().cloned());
                continue;
            }
            for id in &config.selected {
                claims.extend(self.claim_selected(id, deliveries).filter(|claim| !is_empty(claim)));
                claims.extend(self.claims_left(id, deliveries));
            }
            for claim in config
                .delivered
                .iter()
                .filter(|claim| !config.selected.contains(&claim.instance_id))
            {
                claims.extend(self.claims_left(&claim.instance_id, deliveries));
            }
        }
        for config in &self.world.configs.departed {
            claims.entry(config.key.clone()).or_default();
            for claim in config.delivered {
                let left = self.claims_left(&claim.instance_id, deliveries);
                for key in self.heirs(&claim.instance_id).unwrap_or_else(|| vec![config.key]) {
                    claims.entry(key.clone()).or_default().extend(left.iter().cloned());
                }
            }
        }
        claims
    }

    /// The configs that go on answering for what a departed config leaves behind: those that exist and may select the
    /// server. So its deletion never has to wait for them (rule 7).
    fn heirs(self, id: &InstanceId) -> Option<Vec<&'a ConfigKey>> {
        let concerned = &self.world.evidence.of(id)?.configs;
        let present = self.world.configs.present.iter().map(|config| config.key);
        let heirs: Vec<_> = present.filter(|key| concerned.contains(key)).collect();
        (!heirs.is_empty()).then_some(heirs)
    }

    fn claim_selected(self, id: &InstanceId, deliveries: &[Delivery<'_>]) -> Option<Claim> {
        let (vm, _) = self.world.vms.get(id)?;
        let delivery = deliveries.get(vm).copied()?;
        self.node_of(vm, delivery).map(|name| claim(id, name))
    }

    /// The nodes of an instance that hold what nobody accounts for and what is not removed yet.
    fn claims_left(self, id: &InstanceId, deliveries: &[Delivery<'_>]) -> Vec<Claim> {
        let remains = |node: usize, fate: Fate| fate != Fate::Present && !self.decision.removes(node, fate);
        let nodes = self.world.earlier.of_instance(id).iter().copied();
        let nodes = nodes.filter(|node| self.situation.fates_of(*node).iter().any(|fate| remains(*node, *fate)));
        let name = |node: usize| match self.situation.owners.get(node)? {
            Owner::Home(vm) => self.node_of(*vm, deliveries.get(*vm).copied()?).cloned(),
            _ => self.world.earlier.nodes.get(node).map(|held| held.name.clone()),
        };
        nodes.filter_map(name).map(|name| claim(id, &name)).collect()
    }
}

fn claim(id: &InstanceId, name: &NodeName) -> Claim {
    Claim {
        instance_id: id.clone(),
        node_name: name.clone(),
    }
}

fn not_found<'a>(index: usize, selector: &'a VmSelector, found: &Match<'a>, findings: &Findings<'a>) -> VmOutcome {
    let concerns = [Concern::Config(index), Concern::Selector(index, selector)];
    VmOutcome {
        instance: None,
        node: None,
        interfaces: 0,
        state: match found {
            Match::Unread => VmState::Held,
            Match::Server(_) | Match::NotFound | Match::Ambiguous(_) => VmState::Failed,
        },
        finding: findings.worst(&concerns).map(|(_, reason)| reason),
    }
}

//! Last step, outwards: what each config learns about its VMs and what it answers for from now on.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{ConfigKey, InstanceId, NodeName, VmSelector};

use crate::{
    Claim,
    assemble::{Decided, Delivery, Hold},
    finding::{Concern, Findings},
    matching::{Config, Match, Sight},
    output::{VmOutcome, VmState},
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
        // Collected first and in order: a map is built faster at once than entry by entry.
        let mut outcomes = Vec::new();
        for (index, config) in self.world.configs.present.iter().enumerate() {
            for ((selector, found), vm) in config.matches.iter().zip(self.world.vms.matched(index)) {
                let planned = vm.and_then(|vm| Some((vm, self.world.vms.list.get(vm)?)));
                let outcome = match planned {
                    Some(planned) => self.found((index, config), planned, deliveries, findings),
                    None => not_found(index, selector, found, findings),
                };
                outcomes.push(((config.key.clone(), (*selector).clone()), outcome));
            }
        }
        outcomes.into_iter().collect()
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
            Delivery::Empty(_) | Delivery::Nothing | Delivery::Held(_) | Delivery::Unplanned => 0,
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
            (Standing::NoSubnet | Standing::Unreadable, _)
            | (Standing::Planned, Delivery::Unplanned | Delivery::Held(Hold::Name(_) | Hold::Unknown)) => VmState::Held,
            (Standing::Planned, Delivery::As(_) | Delivery::Empty(_) | Delivery::Nothing) if self.is_waiting(vm) => {
                waits
            }
            (Standing::Planned, Delivery::As(_) | Delivery::Empty(_) | Delivery::Nothing) => VmState::Planned,
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
            Delivery::As(name) | Delivery::Empty(name) => Some(name),
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
    pub fn claims(self, deliveries: &[Delivery<'_>]) -> BTreeMap<ConfigKey, BTreeSet<Claim>> {
        let mut claims: BTreeMap<ConfigKey, BTreeSet<Claim>> = BTreeMap::new();
        for (index, config) in self.world.configs.present.iter().enumerate() {
            let mut answers = Vec::new();
            if matches!(config.sight, Sight::Blind) {
                answers.extend(config.delivered.iter().cloned());
            }
            for vm in self.world.vms.matched(index).iter().flatten() {
                answers.extend(self.claim_selected(*vm, deliveries));
                self.claim_left(*vm, deliveries, &mut answers);
            }
            for claim in config.delivered {
                if !self.world.vms.selects(index, &claim.instance_id) {
                    self.claim_left_by(claim, deliveries, &mut answers);
                }
            }
            claims.entry(config.key.clone()).or_default().extend(answers);
        }
        self.claim_held(deliveries, &mut claims);
        self.claim_departed(deliveries, &mut claims);
        claims
    }

    /// A config that cannot say what it wants goes on answering for what it has delivered.
    fn claim_held(self, deliveries: &[Delivery<'_>], claims: &mut BTreeMap<ConfigKey, BTreeSet<Claim>>) {
        for config in &self.world.configs.held {
            let mut answers = config.delivered.to_vec();
            for claim in config.delivered {
                self.claim_left_by(claim, deliveries, &mut answers);
            }
            claims.entry(config.key.clone()).or_default().extend(answers);
        }
    }

    /// What a departed config leaves behind goes to the configs that exist and may select the server, so its deletion
    /// never has to wait for them (rule 7).
    fn claim_departed(self, deliveries: &[Delivery<'_>], claims: &mut BTreeMap<ConfigKey, BTreeSet<Claim>>) {
        for config in &self.world.configs.departed {
            claims.entry(config.key.clone()).or_default();
            for claim in config.delivered {
                let mut left = Vec::new();
                self.claim_left_by(claim, deliveries, &mut left);
                for key in self.heirs(claim).unwrap_or_else(|| vec![config.key]) {
                    claims.entry(key.clone()).or_default().extend(left.iter().cloned());
                }
            }
        }
    }

    fn heirs(self, claim: &Claim) -> Option<Vec<&'a ConfigKey>> {
        let number = self.world.earlier.number_of(&claim.instance_id, self.world.vms)?;
        let concerned = &self.world.evidence.of(number)?.configs;
        let existing = self.world.configs.existing();
        let heirs: Vec<_> = existing.filter(|key| concerned.contains(key)).collect();
        (!heirs.is_empty()).then_some(heirs)
    }

    fn claim_selected(self, vm: usize, deliveries: &[Delivery<'_>]) -> Option<Claim> {
        match deliveries.get(vm).copied()? {
            Delivery::Empty(_) => None,
            delivery => {
                let id = self.world.vms.list.get(vm)?.id;
                self.node_of(vm, delivery).map(|name| claim(id, name))
            }
        }
    }

    fn claim_left_by(self, claim: &Claim, deliveries: &[Delivery<'_>], left: &mut Vec<Claim>) {
        if let Some(number) = self.world.earlier.number_of(&claim.instance_id, self.world.vms) {
            self.claim_left(number, deliveries, left);
        }
    }

    /// The nodes of an instance that hold what nobody accounts for and what is not removed yet.
    fn claim_left(self, number: usize, deliveries: &[Delivery<'_>], left: &mut Vec<Claim>) {
        let remains = |node: usize, fate: Fate| fate != Fate::Present && !self.decision.removes(node, fate);
        for node in self.world.earlier.of_instance(number) {
            if !self.situation.fates_of(*node).iter().any(|fate| remains(*node, *fate)) {
                continue;
            }
            let held = self.world.earlier.nodes.get(*node);
            let name = match (self.situation.owners.get(*node), deliveries.get(number)) {
                (Some(Owner::Home(vm)), Some(delivery)) => self.node_of(*vm, *delivery),
                _ => held.map(|held| held.name),
            };
            left.extend(held.zip(name).map(|(held, name)| claim(held.instance, name)));
        }
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
            Match::Server(..) | Match::NotFound | Match::Ambiguous(_) => VmState::Failed,
        },
        finding: findings.worst(&concerns).map(|(_, reason)| reason),
    }
}

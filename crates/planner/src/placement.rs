//! Sixth step: under which name each VM is delivered, and whether too much would go at once.
//!
//! A name can be taken only when whoever holds it gives it up in the same plan; a chain or a ring of renames therefore
//! goes together or not at all.

use std::collections::BTreeSet;

use crate::{
    Policy,
    removal::{Fate, Owner, Rename, Situation, World},
};

/// Where a VM is delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Under the name that it wants.
    Wanted,
    /// Under the name of this node, which it had before.
    Old(usize),
    /// Nowhere: this node holds the name.
    Blocked(usize),
}

/// What is decided: which removals are delivered, and where every planned VM goes.
pub(crate) struct Decision {
    /// By VM; `None` for a VM that is not planned.
    pub places: Vec<Option<Place>>,
    /// The mass guard's answer.
    pub held: Option<MassRemoval>,
    confirmations: u32,
    /// Nodes that keep everything, because the VM that wants their name does not come in this plan.
    untaken: BTreeSet<usize>,
}

/// What the mass guard stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MassRemoval {
    /// How many interfaces would have gone.
    pub leaving: usize,
    /// Of how many.
    pub total: usize,
}

/// Why a node cannot be sent to a management API that cannot be read back: it can only be replaced as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unsendable {
    /// It may hold what nobody can see.
    Unknown,
    /// It holds what is to be kept until the removal is confirmed.
    Waits,
}

/// No guard below this many interfaces.
const NEVER_MASS: usize = 5;

impl Decision {
    pub fn make(world: World<'_, '_>, situation: &Situation) -> Self {
        let mut decision = Self {
            places: Vec::new(),
            held: None,
            confirmations: world.policy.removal_confirmations.get(),
            untaken: BTreeSet::new(),
        };
        decision.settle(world, situation);
        let (leaving, least_count) = decision.by_reading(situation);
        let mass = MassRemoval {
            leaving,
            total: world.earlier.total,
        };
        if mass.is_held(world.policy, least_count) {
            decision.held = Some(mass);
            decision.settle(world, situation);
        }
        decision
    }

    fn settle(&mut self, world: World<'_, '_>, situation: &Situation) {
        self.untaken.clear();
        self.places = settle(world, situation, self);
        let owners = situation.owners.iter().enumerate();
        let untaken = owners.filter(|(_, owner)| match owner {
            Owner::Displaced(vm) => {
                let comes = self.places.get(*vm) == Some(&Some(Place::Wanted));
                !comes || self.hold(world, situation, *vm).is_some()
            }
            Owner::Home(_) | Owner::Former(_) | Owner::Departing | Owner::Frozen | Owner::Foreign => false,
        });
        self.untaken = untaken.map(|(node, _)| node).collect();
    }

    /// Whether this interface of the node leaves it in this plan.
    pub fn removes(&self, node: usize, fate: Fate) -> bool {
        match fate {
            Fate::Present | Fate::Kept(_) => false,
            Fate::Leaving => true,
            Fate::Missed(count) => self.held.is_none() && count >= self.confirmations && !self.untaken.contains(&node),
        }
    }

    /// Whether this interface is to leave the node, but not in this plan.
    pub fn postpones(&self, node: usize, fate: Fate) -> bool {
        matches!(fate, Fate::Missed(_)) && !self.removes(node, fate)
    }

    /// Whether a rename was seen often enough.
    fn confirms(&self, count: u32) -> bool {
        self.held.is_none() && count >= self.confirmations
    }

    /// Whether the VM leaves its old name in this plan.
    pub fn moves(&self, situation: &Situation, vm: usize) -> bool {
        situation.renames.contains_key(&vm) && self.places.get(vm) == Some(&Some(Place::Wanted))
    }

    /// Whether the VM's node must not be sent.
    pub fn hold(&self, world: World<'_, '_>, situation: &Situation, vm: usize) -> Option<Unsendable> {
        if world.earlier.known.is_some() {
            return None;
        }
        let account = world.accounts.get(vm)?;
        let home = situation.home(vm);
        let remembered = home.and_then(|home| world.earlier.nodes.get(home));
        let remembered = remembered.is_some_and(|held| held.items.iter().all(|item| item.mac.is_some()));
        let fates = home.map_or(&[][..], |home| situation.fates_of(home));
        let kept = fates.iter().any(|fate| matches!(fate, Fate::Kept(_)));
        let unseen = account.incomplete || (account.unreadable && !remembered);
        if kept || unseen || world.evidence.is_blind(vm) {
            return Some(Unsendable::Unknown);
        }
        let waits = |home| fates.iter().any(|fate| self.postpones(home, *fate));
        home.is_some_and(waits).then_some(Unsendable::Waits)
    }

    /// How many interfaces would leave their node name by reading alone, and the least number of readings behind one.
    fn by_reading(&self, situation: &Situation) -> (usize, u32) {
        let (mut leaving, mut least) = (0, u32::MAX);
        for (node, (owner, fates)) in situation.owners.iter().zip(&situation.fates).enumerate() {
            let moved = match owner {
                Owner::Home(vm) if self.moves(situation, *vm) => situation.renames.get(vm).map(|rename| rename.count),
                _ => None,
            };
            for fate in fates.iter().filter(|fate| **fate != Fate::Leaving) {
                let counts = match fate {
                    Fate::Missed(count) if self.removes(node, *fate) => {
                        moved.map_or(Some(*count), |by| Some(by.min(*count)))
                    }
                    _ => moved,
                };
                if let Some(count) = counts {
                    leaving += 1;
                    least = least.min(count);
                }
            }
        }
        (leaving, least)
    }
}

impl MassRemoval {
    fn is_held(self, policy: &Policy, least_count: u32) -> bool {
        let mass = self.leaving > NEVER_MASS && self.leaving.saturating_mul(2) > self.total;
        let agreed = policy
            .held_removal_confirmations
            .is_some_and(|needed| least_count >= needed.get());
        mass && !policy.allow_mass_removal && !agreed
    }
}

/// Starts with every VM where it wants to be and takes back the moves whose name is not free, until nothing changes.
fn settle(world: World<'_, '_>, situation: &Situation, decision: &Decision) -> Vec<Option<Place>> {
    let mut places: Vec<_> = (0..world.vms.list.len())
        .map(|vm| first_wish(world, situation, decision, vm))
        .collect();
    let mut open: Vec<_> = (0..places.len()).collect();
    while let Some(vm) = open.pop() {
        let at_home = situation.home(vm).is_some() && !situation.renames.contains_key(&vm);
        if at_home || places.get(vm) != Some(&Some(Place::Wanted)) {
            continue;
        }
        let Some(holder) = holder_of_wanted(world, vm).filter(|node| !vacates(situation, decision, &places, vm, *node))
        else {
            continue;
        };
        let home = situation.home(vm);
        if let Some(place) = places.get_mut(vm) {
            *place = Some(home.map_or(Place::Blocked(holder), Place::Old));
        }
        // It stays, so whoever counted on its old name has to be asked again.
        let waiting = home.and_then(|home| world.earlier.nodes.get(home));
        open.extend(waiting.and_then(|home| world.vms.wanting(home.name)));
    }
    places
}

fn first_wish(world: World<'_, '_>, situation: &Situation, decision: &Decision, vm: usize) -> Option<Place> {
    if !world.vms.list.get(vm)?.is_planned() {
        return None;
    }
    let unsendable = || decision.hold(world, situation, vm).is_some();
    let stays = |rename: &&Rename| rename.waits || !decision.confirms(rename.count) || unsendable();
    let unconfirmed = situation.renames.get(&vm).filter(stays);
    let old = unconfirmed.and_then(|_| situation.home(vm));
    Some(old.map_or(Place::Wanted, Place::Old))
}

/// The node that holds something under the VM's wanted name.
fn holder_of_wanted(world: World<'_, '_>, vm: usize) -> Option<usize> {
    let name = world.vms.list.get(vm)?.node_name.as_ref()?;
    world.earlier.named(name.as_str())
}

fn vacates(situation: &Situation, decision: &Decision, places: &[Option<Place>], vm: usize, node: usize) -> bool {
    match situation.owners.get(node) {
        Some(Owner::Home(owner)) if *owner == vm => true,
        Some(Owner::Home(owner)) => {
            situation.renames.contains_key(owner) && places.get(*owner) == Some(&Some(Place::Wanted))
        }
        Some(Owner::Former(_) | Owner::Displaced(_) | Owner::Departing) => situation
            .fates_of(node)
            .iter()
            .all(|fate| decision.removes(node, *fate)),
        Some(Owner::Frozen | Owner::Foreign) | None => false,
    }
}

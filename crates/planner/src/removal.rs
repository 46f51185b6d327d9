//! Fifth step: what becomes of each interface that a node holds, before anybody decides how much of it is too much.

use std::collections::BTreeMap;

use multinic_model::NodeName;

use crate::{
    Policy, RemovalLedger, Scope,
    absence::{Absence, Heard},
    accounting::Account,
    earlier_index::{EarlierIndex, Held, Item},
    evidence::AllEvidence,
    matching::Configs,
    vms::{Vm, Vms, node_name},
};

/// Whose node it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// The node in which a planned VM lives.
    Home(usize),
    /// A further node of a planned VM, left over from a rename.
    Former(usize),
    /// Nobody speaks for it, but this VM wants its name and its server is no more, or bears another name: it is replaced
    /// when the VM comes, and not before.
    Displaced(usize),
    /// The configs that answered for it let go of it, or do not find its server any more.
    Departing,
    /// Its server cannot be planned, or may belong to a config that cannot speak: exactly as it is.
    Frozen,
    /// No config names or claims it.
    Foreign,
}

/// What becomes of one interface that a node holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It is accounted for.
    Present,
    /// It is kept and not counted.
    Kept(Keep),
    /// It is removed on direct evidence.
    Leaving,
    /// So many complete readings in a row have missed it.
    Missed(u32),
}

/// Why an unaccounted interface is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Keep {
    /// Other configs may exist.
    Additive,
    /// A config that may account for it cannot speak.
    Blind,
    /// It may be the port that cannot be understood.
    Unreadable,
    /// The node is none of the plan's business.
    Untouched,
}

/// A VM whose node is to move to another name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rename {
    /// So many complete readings in a row have seen it.
    pub count: u32,
    /// A config that may select the VM cannot speak: the move waits and is not counted.
    pub waits: bool,
}

/// The state of every held interface and every home.
pub(crate) struct Situation {
    /// By node.
    pub owners: Vec<Owner>,
    /// By node and item.
    pub fates: Vec<Vec<Fate>>,
    /// By VM: the node it lives in.
    pub homes: Vec<Option<usize>>,
    /// By VM.
    pub renames: BTreeMap<usize, Rename>,
}

/// What every judgement looks at.
#[derive(Clone, Copy)]
pub(crate) struct World<'w, 'a> {
    pub policy: &'a Policy,
    pub ledger: &'a RemovalLedger,
    pub configs: &'w Configs<'a>,
    pub vms: &'w Vms<'a>,
    pub accounts: &'w [Account],
    pub earlier: &'w EarlierIndex<'a>,
    pub evidence: &'w AllEvidence<'a>,
}

impl Owner {
    /// Whether it leaves its name to a VM that wants it.
    pub fn gives_way(self) -> bool {
        matches!(self, Self::Displaced(_) | Self::Departing)
    }
}

impl Situation {
    pub fn survey(world: World<'_, '_>) -> Self {
        let homes = homes(world);
        let owners: Vec<_> = world
            .earlier
            .nodes
            .iter()
            .enumerate()
            .map(|(node, held)| owner(world, &homes, node, held))
            .collect();
        let fates = world.earlier.nodes.iter().zip(&owners);
        let fates = fates.map(|(held, owner)| held.items.iter().map(|item| fate(world, *owner, held, item)).collect());
        Self {
            fates: fates.collect(),
            renames: renames(world, &homes),
            owners,
            homes,
        }
    }

    pub fn fates_of(&self, node: usize) -> &[Fate] {
        self.fates.get(node).map_or(&[], Vec::as_slice)
    }

    pub fn home(&self, vm: usize) -> Option<usize> {
        self.homes.get(vm).copied().flatten()
    }
}

/// A VM lives under its wanted name if it has a node there, else where it was before.
fn homes(world: World<'_, '_>) -> Vec<Option<usize>> {
    let home = |(index, vm): (usize, &Vm<'_>)| {
        let nodes = world.earlier.of_instance(index);
        let named = |node: &&usize| world.earlier.nodes.get(**node).map(|held| held.name) == vm.node_name.as_ref();
        nodes.iter().find(named).or_else(|| nodes.first()).copied()
    };
    world.vms.list.iter().enumerate().map(home).collect()
}

fn owner(world: World<'_, '_>, homes: &[Option<usize>], node: usize, held: &Held<'_>) -> Owner {
    if held.unreadable {
        return Owner::Frozen;
    }
    if let Some(vm) = world.vms.list.get(held.owner) {
        return match (vm.is_planned(), homes.get(held.owner) == Some(&Some(node))) {
            (false, _) => Owner::Frozen,
            (true, true) => Owner::Home(held.owner),
            (true, false) => Owner::Former(held.owner),
        };
    }
    let evidence = world.evidence.of(held.owner);
    if world.vms.contested.contains(held.name) || evidence.is_some_and(|evidence| evidence.blind) {
        return Owner::Frozen;
    }
    let tied = evidence.is_some_and(|evidence| evidence.direct || evidence.lost);
    match (world.policy.scope, displacing(world, held)) {
        (Scope::Additive, _) => Owner::Foreign,
        (Scope::WholeTruth, _) if tied => Owner::Departing,
        (Scope::WholeTruth, displacing) => displacing.map_or(Owner::Foreign, Owner::Displaced),
    }
}

/// The planned VM that wants the name of a server that is no more, or that bears another name now.
fn displacing(world: World<'_, '_>, held: &Held<'_>) -> Option<usize> {
    let server = world.configs.server(held.instance);
    let still_there = server.is_some_and(|server| node_name(held.instance, server) == held.name.as_str());
    world.vms.wanting(held.name).filter(|_| !still_there)
}

fn fate(world: World<'_, '_>, owner: Owner, held: &Held<'_>, item: &Item<'_>) -> Fate {
    let evidence = world.evidence.of(held.owner);
    match owner {
        Owner::Frozen | Owner::Foreign => Fate::Kept(Keep::Untouched),
        Owner::Departing => missing(world, held, item, &Absence::of_server(world, evidence)),
        // It is the VM that comes which was looked at, or not.
        Owner::Displaced(vm) => missing(world, held, item, &Absence::of_name(world, world.evidence.of(vm))),
        Owner::Home(vm) => {
            let Some(account) = world.accounts.get(vm) else {
                return Fate::Kept(Keep::Untouched);
            };
            // Unknown content is replaced by whatever is accounted for; only "nothing" would remove it unseen.
            if item.mac.map_or(!account.macs.is_empty(), |mac| account.has(mac)) {
                return Fate::Present;
            }
            let absence = Absence::of_port(world, evidence, item.mac, account.unreadable);
            unaccounted(world, account.unreadable, held, item, &absence)
        }
        Owner::Former(vm) => {
            let account = world.accounts.get(vm);
            let accounted = account.zip(item.mac).is_some_and(|(account, mac)| account.has(mac));
            let unreadable = !accounted && account.is_some_and(|account| account.unreadable);
            unaccounted(world, unreadable, held, item, &Absence::of_name(world, evidence))
        }
    }
}

fn unaccounted(
    world: World<'_, '_>,
    unreadable: bool,
    held: &Held<'_>,
    item: &Item<'_>,
    absence: &Absence<'_, '_>,
) -> Fate {
    if world.evidence.is_blind(held.owner) {
        return Fate::Kept(Keep::Blind);
    }
    if world.policy.scope == Scope::Additive {
        return Fate::Kept(Keep::Additive);
    }
    match missing(world, held, item, absence) {
        Fate::Missed(_) if unreadable => Fate::Kept(Keep::Unreadable),
        fate => fate,
    }
}

fn missing(world: World<'_, '_>, held: &Held<'_>, item: &Item<'_>, absence: &Absence<'_, '_>) -> Fate {
    let cidr = item.interface.map(|interface| interface.address.cidr());
    let let_go = absence.shares.is_some_and(|evidence| evidence.lets_go(cidr));
    if let_go || (absence.announced && !absence.unseen) {
        return Fate::Leaving;
    }
    let before = world.ledger.missed(held.name, held.instance, item.mac);
    Fate::Missed(before.saturating_add(u32::from(!absence.unseen)))
}

fn renames(world: World<'_, '_>, homes: &[Option<usize>]) -> BTreeMap<usize, Rename> {
    let mut renames = BTreeMap::new();
    for (index, vm) in world.vms.list.iter().enumerate().filter(|(_, vm)| vm.is_planned()) {
        let home = homes
            .get(index)
            .copied()
            .flatten()
            .and_then(|home| world.earlier.nodes.get(home));
        let Some((home, wanted)) = home
            .zip(vm.node_name.as_ref())
            .filter(|(home, wanted)| home.name != *wanted)
        else {
            continue;
        };
        renames.insert(index, rename(world, home, wanted));
    }
    renames
}

fn rename(world: World<'_, '_>, home: &Held<'_>, wanted: &NodeName) -> Rename {
    let waits = world.evidence.is_blind(home.owner);
    let unseen = Heard::is_unseen(world, world.evidence.of(home.owner), |unseen| unseen.server);
    let before = world.ledger.renamed(home.name, home.instance, wanted);
    Rename {
        count: before.saturating_add(u32::from(!waits && !unseen)),
        waits,
    }
}

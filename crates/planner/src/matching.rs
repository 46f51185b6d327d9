//! First step: which server each entry of each config means, and what each config can see.

use std::collections::{HashMap, hash_map::Entry};

use multinic_model::{
    ConfigKey, InstanceId, NodeName, Selection, VmSelector,
    inventory::{Inventory, Server, Subnet, SubnetCandidate, SubnetLookup},
};

use crate::{
    Claim, ConfigInput, News, PlanInput, Reading, Seen,
    finding::{Concern, Findings, Reason, Severity},
    inventory_index::InventoryIndex,
};

/// The configs of the cluster, sorted, so that the order of the input never matters.
pub(crate) struct Configs<'a> {
    pub present: Vec<Config<'a>>,
    pub held: Vec<Claimant<'a>>,
    pub departed: Vec<Claimant<'a>>,
    pub inventories: Vec<InventoryIndex<'a>>,
}

/// A config that exists.
pub(crate) struct Config<'a> {
    pub key: &'a ConfigKey,
    pub selection: &'a Selection,
    pub delivered: &'a [Claim],
    pub changed: bool,
    /// What of its reading is new; `None`: all of it.
    pub news: Option<&'a News>,
    /// Index into the inventories; `None` without a usable reading.
    pub inventory: Option<usize>,
    pub sight: Sight<'a>,
    /// One for each entry of `vmNames`, in their order.
    pub matches: Vec<(&'a VmSelector, Match<'a>)>,
}

/// A config of which nothing is known but what it has delivered.
pub(crate) struct Claimant<'a> {
    pub key: &'a ConfigKey,
    pub delivered: &'a [Claim],
}

/// What a config can see.
#[derive(Clone, Copy)]
pub(crate) enum Sight<'a> {
    /// Its VMs and its subnet: it can account for every interface.
    Full { subnet: &'a Subnet },
    /// Its VMs, but no subnet.
    NoSubnet,
    /// Nothing.
    Blind,
}

/// What became of an entry of `vmNames`.
pub(crate) enum Match<'a> {
    Server(&'a InstanceId, &'a Server),
    NotFound,
    Ambiguous(Vec<&'a InstanceId>),
    /// Nobody could look.
    Unread,
}

/// A config as it was given, sorted before anything is made of it.
type Given<'a> = (&'a Selection, Reading<'a>, &'a [Claim], bool);

struct Sorted<'a> {
    present: Vec<Given<'a>>,
    held: Vec<Claimant<'a>>,
    departed: Vec<Claimant<'a>>,
}

impl<'a> Configs<'a> {
    pub fn resolve(input: &PlanInput<'a>, findings: &mut Findings<'a>) -> Self {
        let Sorted {
            present,
            held,
            departed,
        } = sorted(input);
        let mut configs = Self {
            present: Vec::with_capacity(present.len()),
            held,
            departed,
            inventories: Vec::new(),
        };
        let mut seen = HashMap::new();
        for (selection, reading, delivered, changed) in present {
            let inventory = configs.index(selection, reading, &mut seen);
            let matches = configs.matches(inventory, selection);
            configs.present.push(Config {
                key: &selection.key,
                selection,
                delivered,
                changed,
                news: match reading {
                    Reading::Renewed { news, .. } => Some(news),
                    Reading::Complete(_) | Reading::Failed => None,
                },
                inventory,
                sight: inventory.map_or(Sight::Blind, |inventory| configs.sight(inventory, selection)),
                matches,
            });
        }
        for (index, config) in configs.present.iter().enumerate() {
            configs.report_sight(index, config, findings);
            report_matches(index, config, findings);
        }
        configs
    }

    /// The index of the config's inventory, if its reading may be used.
    fn index(
        &mut self,
        selection: &Selection,
        reading: Reading<'a>,
        seen: &mut HashMap<*const Inventory, usize>,
    ) -> Option<usize> {
        let (Reading::Complete(inventory) | Reading::Renewed { inventory, .. }) = reading else {
            return None;
        };
        if inventory.project != selection.project || !inventory.subnets.contains_key(&selection.subnet) {
            return None;
        }
        Some(match seen.entry(std::ptr::from_ref(inventory)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.inventories.push(InventoryIndex::new(inventory));
                *new.insert(self.inventories.len() - 1)
            }
        })
    }

    fn sight(&self, inventory: usize, selection: &Selection) -> Sight<'a> {
        let subnets = self.inventories.get(inventory).map(|index| &index.inventory.subnets);
        match subnets.and_then(|subnets| subnets.get(&selection.subnet)) {
            Some(SubnetLookup::Found(subnet)) => Sight::Full { subnet },
            Some(_) => Sight::NoSubnet,
            None => Sight::Blind,
        }
    }

    fn matches(&self, inventory: Option<usize>, selection: &'a Selection) -> Vec<(&'a VmSelector, Match<'a>)> {
        let index = inventory.and_then(|inventory| self.inventories.get(inventory));
        let find = |selector| index.map_or(Match::Unread, |index| index.find(selector));
        selection.vms.iter().map(|vm| (vm, find(vm))).collect()
    }

    /// The server, if any complete reading lists it.
    pub fn server(&self, instance: &InstanceId) -> Option<&'a Server> {
        self.inventories
            .iter()
            .find_map(|index| index.inventory.servers.get(instance))
    }

    /// Whether every reading is new as a whole.
    pub fn all_seen(&self) -> bool {
        let mut news = self.present.iter().filter_map(|config| config.news);
        news.all(|news| news.seen == Seen::Everything)
    }

    /// Every config that exists.
    pub fn existing(&self) -> impl Iterator<Item = &'a ConfigKey> {
        let present = self.present.iter().map(|config| config.key);
        present.chain(self.held.iter().map(|config| config.key))
    }

    /// Every config that has delivered this node, or a node of this server.
    pub fn claiming(&self, name: &NodeName, instance: &InstanceId) -> impl Iterator<Item = &'a ConfigKey> {
        let present = self.present.iter().map(|config| (config.key, config.delivered));
        let silent = self.held.iter().chain(&self.departed);
        let all = present.chain(silent.map(|config| (config.key, config.delivered)));
        let claims = |claim: &Claim| claim.node_name == *name || claim.instance_id == *instance;
        let claiming = all.filter(move |(_, delivered)| delivered.iter().any(claims));
        claiming.map(|(key, _)| key)
    }

    /// The inventory of one config.
    pub fn inventory_of(&self, config: &Config<'a>) -> Option<&InventoryIndex<'a>> {
        self.inventories.get(config.inventory?)
    }

    fn report_sight(&self, index: usize, config: &Config<'a>, findings: &mut Findings<'a>) {
        let Selection { project, subnet, .. } = config.selection;
        let (reason, subject, message) = match config.sight {
            Sight::Full { .. } => return,
            Sight::Blind => (
                Reason::ReadingFailed,
                project.to_string(),
                format!("project {project} could not be read completely; the nodes of its configs stay as they are"),
            ),
            Sight::NoSubnet => {
                let lookup = self
                    .inventory_of(config)
                    .and_then(|index| index.inventory.subnets.get(subnet));
                let (reason, problem) = subnet_problem(lookup, config.selection);
                (reason, subnet.to_string(), problem)
            }
        };
        let concern = Concern::Config(index);
        findings.add(
            (Severity::Error, reason),
            (subject, message),
            [config.key],
            Some(concern),
        );
    }
}

/// Every kind of config in an order of its own: that of the input never matters.
fn sorted<'a>(input: &PlanInput<'a>) -> Sorted<'a> {
    let (mut present, mut held, mut departed) = (Vec::new(), Vec::new(), Vec::new());
    for config in input.configs {
        match *config {
            ConfigInput::Held { key, delivered } => held.push(Claimant { key, delivered }),
            ConfigInput::Departed { key, delivered } => departed.push(Claimant { key, delivered }),
            ConfigInput::Present { selection, .. } if selection.cluster != *input.cluster => {}
            ConfigInput::Present {
                selection,
                reading,
                delivered,
                changed,
            } => present.push((selection, reading, delivered, changed)),
        }
    }
    present.sort_by_key(|(selection, ..)| {
        let Selection {
            key,
            provider,
            project,
            subnet,
            vms,
            cluster: _,
        } = selection;
        (key, provider, project, subnet, vms)
    });
    held.sort_by_key(|config| (config.key, config.delivered));
    departed.sort_by_key(|config| (config.key, config.delivered));
    Sorted {
        present,
        held,
        departed,
    }
}

fn report_matches<'a>(index: usize, config: &Config<'a>, findings: &mut Findings<'a>) {
    let project = config.selection.project;
    for (selector, found) in &config.matches {
        let (reason, message) = match found {
            Match::Server(..) | Match::Unread => continue,
            Match::NotFound => (
                Reason::VMNotFound,
                format!(
                    "no server of project {project} has the id or exact name {selector}; correct vmNames or projectID"
                ),
            ),
            Match::Ambiguous(ids) => (
                Reason::AmbiguousVM,
                format!(
                    "{} servers of project {project} are named {selector}: {}; put the UUID of the one you mean into \
                     vmNames, until then their nodes stay as they are",
                    ids.len(),
                    list(ids)
                ),
            ),
        };
        let concern = Concern::Selector(index, selector);
        findings.add(
            (Severity::Error, reason),
            (selector.to_string(), message),
            [config.key],
            Some(concern),
        );
    }
}

fn subnet_problem(lookup: Option<&SubnetLookup>, selection: &Selection) -> (Reason, String) {
    let Selection { project, subnet, .. } = selection;
    match lookup {
        Some(SubnetLookup::Ambiguous(candidates)) => {
            let candidate = |c: &SubnetCandidate| format!("{} ({})", c.id, c.cidr);
            let mut candidates: Vec<_> = candidates.iter().map(candidate).collect();
            candidates.sort();
            let message = format!(
                "{} subnets in reach of project {project} are named {subnet}: {}; put the id of the one you mean into \
                 subnetID",
                candidates.len(),
                list(&candidates)
            );
            (Reason::AmbiguousSubnet, message)
        }
        Some(SubnetLookup::Unusable { problem }) => (
            Reason::UnusableSubnet,
            format!("no interface can be built from subnet {subnet}: {problem}"),
        ),
        Some(SubnetLookup::NotFound | SubnetLookup::Found(_)) | None => (
            Reason::SubnetNotFound,
            format!(
                "project {project} has no subnet {subnet}, shared networks included; correct subnetID or subnetName, \
                 nothing is removed meanwhile"
            ),
        ),
    }
}

/// The first few of a list that may be long, with the number of the others.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<_> = items.iter().take(SHOWN).map(ToString::to_string).collect();
    match items.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

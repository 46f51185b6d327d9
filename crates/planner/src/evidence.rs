//! Fourth step: for each instance, who may speak for it and what makes an absence believable.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use multinic_model::{ConfigKey, InstanceId, VmSelector};

use crate::{
    Claim,
    absence::Heard,
    earlier_index::EarlierIndex,
    matching::{Config, Configs, Match, Sight},
    vms::Vms,
};

/// What the configs say together about one instance.
#[derive(Default, Debug)]
pub(crate) struct Evidence<'a> {
    /// Some config that selects it, or may, cannot say what it wants: nothing may be removed.
    pub blind: bool,
    /// A deletion or a changed spec let go of it, in full or in part.
    pub direct: bool,
    /// A config that can see answers for it and does not find it.
    pub lost: bool,
    /// The subnets of the configs that still answer for it: what is missing there is missing by reading alone.
    pub answered: Vec<IpNet>,
    /// What is new, and what was announced.
    pub heard: Heard,
    /// Everybody concerned.
    pub configs: Vec<&'a ConfigKey>,
}

/// The evidence by number of the instance: for every selected VM and every owner of an earlier node.
pub(crate) struct AllEvidence<'a> {
    by_number: Vec<Evidence<'a>>,
}

impl<'a> AllEvidence<'a> {
    pub fn gather(configs: &Configs<'a>, vms: &Vms<'a>, earlier: &EarlierIndex<'a>) -> Self {
        let mut hearing = Hearing {
            configs,
            vms,
            earlier,
            heard: (0..earlier.instances()).map(|_| Evidence::default()).collect(),
        };
        for (index, config) in configs.present.iter().enumerate() {
            match config.sight {
                Sight::Blind => hearing.hear_blind(config),
                Sight::NoSubnet => hearing.hear(index, config, None),
                Sight::Full { subnet } => hearing.hear(index, config, Some(subnet.cidr.trunc())),
            }
        }
        for config in &configs.held {
            hearing.hear_claims(config.key, config.delivered);
        }
        hearing.hear_blind_names();
        for config in &configs.departed {
            for claim in config.delivered {
                hearing.note(&claim.instance_id, config.key, |evidence| evidence.direct = true);
            }
        }
        Self {
            by_number: hearing.heard,
        }
    }

    pub fn of(&self, number: usize) -> Option<&Evidence<'a>> {
        self.by_number.get(number)
    }

    pub fn is_blind(&self, number: usize) -> bool {
        self.of(number).is_some_and(|evidence| evidence.blind)
    }
}

/// Every config in turn says what it knows.
struct Hearing<'h, 'a> {
    configs: &'h Configs<'a>,
    vms: &'h Vms<'a>,
    earlier: &'h EarlierIndex<'a>,
    heard: Vec<Evidence<'a>>,
}

impl<'a> Hearing<'_, 'a> {
    fn note(&mut self, instance: &InstanceId, key: &'a ConfigKey, note: impl FnOnce(&mut Evidence<'a>)) {
        if let Some(number) = self.earlier.number_of(instance, self.vms) {
            self.note_number(number, key, note);
        }
    }

    fn note_number(&mut self, number: usize, key: &'a ConfigKey, note: impl FnOnce(&mut Evidence<'a>)) {
        if let Some(evidence) = self.heard.get_mut(number) {
            note(evidence);
            if evidence.configs.last() != Some(&key) {
                evidence.configs.push(key);
            }
        }
    }

    /// The owner of an earlier node that bears `name`.
    fn blind_owner(&mut self, name: &str, key: &'a ConfigKey) {
        let node = self.earlier.named(name).and_then(|node| self.earlier.nodes.get(node));
        if let Some(number) = node.map(|node| node.owner) {
            self.note_number(number, key, |evidence| evidence.blind = true);
        }
    }

    /// What a config has delivered that cannot say what it wants now.
    fn hear_claims(&mut self, key: &'a ConfigKey, delivered: &[Claim]) {
        for claim in delivered {
            self.note(&claim.instance_id, key, |evidence| evidence.blind = true);
            self.blind_owner(claim.node_name.as_str(), key);
        }
    }

    /// Without a reading, everything that the config may mean is out of bounds.
    fn hear_blind(&mut self, config: &Config<'a>) {
        self.hear_claims(config.key, config.delivered);
        for (selector, _) in &config.matches {
            if let Some(id) = selector.instance_id() {
                self.note(&id, config.key, |evidence| evidence.blind = true);
            }
            self.blind_owner(selector.as_str(), config.key);
        }
    }

    /// A config without a reading may mean, by name, a server that another config has found.
    fn hear_blind_names(&mut self) {
        let present = self.configs.present.iter();
        let mut blind = present.filter(|config| matches!(config.sight, Sight::Blind)).peekable();
        if blind.peek().is_none() {
            return;
        }
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, vm) in self.vms.list.iter().enumerate() {
            by_name.entry(vm.server.name.as_str()).or_default().push(number);
        }
        for config in blind {
            for (selector, _) in &config.matches {
                for number in by_name.get(selector.as_str()).into_iter().flatten() {
                    self.note_number(*number, config.key, |evidence| evidence.blind = true);
                }
            }
        }
    }

    /// A complete reading. `cidr` is the config's subnet, if it could be found.
    fn hear(&mut self, index: usize, config: &Config<'a>, cidr: Option<IpNet>) {
        let claimed = config.delivered.iter().filter(|_| config.changed);
        let respecified: HashSet<_> = claimed.map(|claim| &claim.instance_id).collect();
        let vms = self.vms;
        for ((selector, found), vm) in config.matches.iter().zip(vms.matched(index)) {
            match (found, vm) {
                (Match::Server(id, _), Some(vm)) => {
                    let respecified = respecified.contains(id);
                    self.note_number(*vm, config.key, |evidence| {
                        evidence.selected(cidr, respecified);
                        evidence.heard.take_in(config.news, id);
                    });
                }
                (Match::Ambiguous(ids), _) => {
                    for id in ids.iter().filter(|id| !vms.selects(index, id)) {
                        self.note(id, config.key, |evidence| evidence.blind = true);
                    }
                }
                (Match::NotFound, _) => self.hear_lost(selector, config, cidr),
                (Match::Server(..) | Match::Unread, _) => {}
            }
        }
        let open = OpenEntries::of(config);
        for claim in config.delivered {
            if !vms.selects(index, &claim.instance_id) {
                self.hear_unselected(claim, config, &open, cidr);
            }
        }
    }

    /// An entry that means no server: the node it meant before is the one of that id, or of that name if its owner is
    /// no server any more.
    fn hear_lost(&mut self, selector: &VmSelector, config: &Config<'a>, cidr: Option<IpNet>) {
        if let Some(id) = selector.instance_id() {
            self.note(&id, config.key, |evidence| {
                evidence.lost(cidr);
                evidence.heard.take_in(config.news, &id);
            });
        }
        let node = self.earlier.named(selector.as_str());
        let node = node.and_then(|node| self.earlier.nodes.get(node));
        if let Some(node) = node.filter(|node| self.configs.server(node.instance).is_none()) {
            self.note_number(node.owner, config.key, |evidence| {
                evidence.lost(cidr);
                evidence.heard.take_in(config.news, node.instance);
            });
        }
    }

    /// A delivered server that the config does not select now. Only a spec that changed, and that has no open entry
    /// which may mean the server, has let go of it for certain.
    fn hear_unselected(&mut self, claim: &Claim, config: &Config<'a>, open: &OpenEntries, cidr: Option<IpNet>) {
        let let_go = config.changed && !open.could_mean(&claim.instance_id);
        self.note(&claim.instance_id, config.key, |evidence| {
            if let_go {
                evidence.direct = true;
            } else {
                evidence.lost(cidr);
            }
            evidence.heard.take_in(config.news, &claim.instance_id);
        });
    }
}

/// The entries of a config that found no server.
struct OpenEntries {
    ids: HashSet<InstanceId>,
    /// Whether one of them is a name, which any server may have had.
    names: bool,
}

impl OpenEntries {
    fn of(config: &Config<'_>) -> Self {
        let open = config
            .matches
            .iter()
            .filter(|(_, found)| !matches!(found, Match::Server(..)));
        let mut entries = Self {
            ids: HashSet::new(),
            names: false,
        };
        for (selector, _) in open {
            match selector.instance_id() {
                Some(id) => drop(entries.ids.insert(id)),
                None => entries.names = true,
            }
        }
        entries
    }

    /// Whether one of them may have meant this server.
    fn could_mean(&self, instance: &InstanceId) -> bool {
        self.names || self.ids.contains(instance)
    }
}

impl Evidence<'_> {
    fn selected(&mut self, cidr: Option<IpNet>, respecified: bool) {
        match cidr {
            Some(cidr) => {
                self.answered.push(cidr);
                self.direct |= respecified;
            }
            None => self.blind = true,
        }
    }

    fn lost(&mut self, cidr: Option<IpNet>) {
        match cidr {
            Some(cidr) => {
                self.answered.push(cidr);
                self.lost = true;
            }
            None => self.blind = true,
        }
    }

    /// Whether the absence of an interface in `cidr` needs no second reading. `None`: nobody knows where it lies.
    pub fn lets_go(&self, cidr: Option<IpNet>) -> bool {
        self.direct && cidr.map_or(self.answered.is_empty(), |cidr| !self.answered.contains(&cidr))
    }
}

//! Fourth step: for each instance, who may speak for it and what makes an absence believable.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use multinic_model::{ConfigKey, InstanceId, VmSelector};

use crate::{
    Claim,
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
    /// Everybody concerned.
    pub configs: Vec<&'a ConfigKey>,
}

/// The evidence by instance, for every selected VM and every owner of an earlier node.
pub(crate) struct AllEvidence<'a> {
    by_instance: HashMap<&'a InstanceId, Evidence<'a>>,
}

impl<'a> AllEvidence<'a> {
    pub fn gather(configs: &Configs<'a>, vms: &Vms<'a>, earlier: &EarlierIndex<'a>) -> Self {
        let owners = earlier.nodes.iter().map(|node| node.instance);
        let instances = owners.chain(vms.list.iter().map(|vm| vm.id));
        let mut all = Self {
            by_instance: instances.map(|instance| (instance, Evidence::default())).collect(),
        };
        for config in &configs.present {
            match config.sight {
                Sight::Blind => all.hear_blind(config, earlier),
                Sight::NoSubnet => all.hear(config, None, configs, earlier),
                Sight::Full { subnet } => all.hear(config, Some(subnet.cidr.trunc()), configs, earlier),
            }
        }
        all.hear_blind_names(configs, vms);
        for config in &configs.departed {
            for claim in config.delivered {
                all.note(&claim.instance_id, config.key, |evidence| evidence.direct = true);
            }
        }
        all
    }

    pub fn of(&self, instance: &InstanceId) -> Option<&Evidence<'a>> {
        self.by_instance.get(instance)
    }

    pub fn is_blind(&self, instance: &InstanceId) -> bool {
        self.of(instance).is_some_and(|evidence| evidence.blind)
    }

    fn note(&mut self, instance: &InstanceId, key: &'a ConfigKey, note: impl FnOnce(&mut Evidence<'a>)) {
        if let Some(evidence) = self.by_instance.get_mut(instance) {
            note(evidence);
            if evidence.configs.last() != Some(&key) {
                evidence.configs.push(key);
            }
        }
    }

    /// The owner of an earlier node that bears `name`.
    fn note_owner(&mut self, name: &str, earlier: &EarlierIndex<'a>, key: &'a ConfigKey) {
        if let Some(node) = earlier.named(name).and_then(|node| earlier.nodes.get(node)) {
            self.note(node.instance, key, |evidence| evidence.blind = true);
        }
    }

    /// Without a reading, everything that the config may mean is out of bounds.
    fn hear_blind(&mut self, config: &Config<'a>, earlier: &EarlierIndex<'a>) {
        for claim in config.delivered {
            self.note(&claim.instance_id, config.key, |evidence| evidence.blind = true);
            self.note_owner(claim.node_name.as_str(), earlier, config.key);
        }
        for (selector, _) in &config.matches {
            if let Some(id) = selector.instance_id() {
                self.note(&id, config.key, |evidence| evidence.blind = true);
            }
            self.note_owner(selector.as_str(), earlier, config.key);
        }
    }

    /// A config without a reading may mean, by name, a server that another config has found.
    fn hear_blind_names(&mut self, configs: &Configs<'a>, vms: &Vms<'a>) {
        let blind = || {
            configs
                .present
                .iter()
                .filter(|config| matches!(config.sight, Sight::Blind))
        };
        if blind().next().is_none() {
            return;
        }
        let mut by_name: HashMap<&str, Vec<&InstanceId>> = HashMap::new();
        for vm in &vms.list {
            by_name.entry(vm.server.name.as_str()).or_default().push(vm.id);
        }
        for config in blind() {
            for (selector, _) in &config.matches {
                for instance in by_name.get(selector.as_str()).into_iter().flatten() {
                    self.note(instance, config.key, |evidence| evidence.blind = true);
                }
            }
        }
    }

    /// A complete reading. `cidr` is the config's subnet, if it could be found.
    fn hear(&mut self, config: &Config<'a>, cidr: Option<IpNet>, configs: &Configs<'a>, earlier: &EarlierIndex<'a>) {
        let claimed: HashSet<_> = config.delivered.iter().map(|claim| &claim.instance_id).collect();
        for (selector, found) in &config.matches {
            match found {
                Match::Server(id) => {
                    let respecified = config.changed && claimed.contains(id);
                    self.note(id, config.key, |evidence| evidence.selected(cidr, respecified));
                }
                Match::Ambiguous(ids) => {
                    for id in ids.iter().filter(|id| !config.selected.contains(*id)) {
                        self.note(id, config.key, |evidence| evidence.blind = true);
                    }
                }
                Match::NotFound => self.hear_lost(selector, config, cidr, configs, earlier),
                Match::Unread => {}
            }
        }
        for claim in config
            .delivered
            .iter()
            .filter(|claim| !config.selected.contains(&claim.instance_id))
        {
            self.hear_unselected(claim, config, cidr);
        }
    }

    /// An entry that means no server: the node it meant before is the one of that id, or of that name if its owner is
    /// no server any more.
    fn hear_lost(
        &mut self,
        selector: &VmSelector,
        config: &Config<'a>,
        cidr: Option<IpNet>,
        configs: &Configs<'a>,
        earlier: &EarlierIndex<'a>,
    ) {
        if let Some(id) = selector.instance_id() {
            self.note(&id, config.key, |evidence| evidence.lost(cidr));
        }
        let named = earlier
            .named(selector.as_str())
            .and_then(|node| earlier.nodes.get(node));
        if let Some(node) = named.filter(|node| configs.server(node.instance).is_none()) {
            self.note(node.instance, config.key, |evidence| evidence.lost(cidr));
        }
    }

    /// A delivered server that the config does not select now. Only a spec that changed, and that has no open entry
    /// which may mean the server, has let go of it for certain.
    fn hear_unselected(&mut self, claim: &Claim, config: &Config<'a>, cidr: Option<IpNet>) {
        let let_go = config.changed && !config.could_mean(&claim.instance_id);
        self.note(&claim.instance_id, config.key, |evidence| {
            if let_go {
                evidence.direct = true;
            } else {
                evidence.lost(cidr);
            }
        });
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

//! The rules, judged from the outside: what the receiver held before and after a pass, against the test's own book.

use multinic_testing::expect::ids;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::sky::{Sky, VMS};

/// All node configs of the cluster.
#[derive(Clone, PartialEq, Debug)]
pub struct Delivered(BTreeMap<String, Value>);

impl Delivered {
    pub fn of(nodes: &Value) -> Self {
        Self(nodes.as_object().unwrap().clone().into_iter().collect())
    }

    /// Ids by MAC on the nodes of one instance.
    pub fn of_instance(&self, id: &str) -> BTreeMap<String, u64> {
        let own = self.0.values().filter(|node| node["instanceId"] == id);
        own.flat_map(ids).collect()
    }

    /// Every node that has an interface: name → (instance, ids by MAC).
    pub fn in_force(&self) -> BTreeMap<String, (String, BTreeMap<String, u64>)> {
        let entry = |(name, node): (&String, &Value)| {
            let ids = ids(node);
            (!ids.is_empty()).then(|| (name.clone(), (node["instanceId"].as_str().unwrap().to_owned(), ids)))
        };
        self.0.iter().filter_map(entry).collect()
    }

    fn macs(&self) -> BTreeSet<String> {
        self.0.values().flat_map(|node| ids(node).into_keys()).collect()
    }
}

/// One pass, as it is judged.
pub struct Pass<'a> {
    pub sky: &'a Sky,
    pub before: &'a Delivered,
    pub after: &'a Delivered,
    pub prune: bool,
    pub configs: u8,
    /// The instances that configs have delivered which cannot be read now.
    pub kept: &'a BTreeSet<String>,
    /// Every reading was complete and true, and every POST arrived.
    pub complete: bool,
}

impl Pass<'_> {
    pub fn check(&self) {
        self.check_content();
        for vm in 0..VMS {
            self.check_vm(vm);
        }
    }

    /// Ids are unique in a node and begin at 1; no MAC is on two nodes; every interface is as the cloud made it.
    fn check_content(&self) {
        let mut seen = BTreeSet::new();
        for (name, node) in &self.after.0 {
            let interfaces = node["interfaces"].as_array().unwrap();
            let unique: BTreeSet<_> = interfaces.iter().map(|nic| nic["id"].as_u64().unwrap()).collect();
            assert_eq!(unique.len(), interfaces.len(), "{name}: {node}");
            assert!(!unique.contains(&0), "{name}: {node}");
            for nic in interfaces {
                let mac = nic["macAddress"].as_str().unwrap();
                assert!(seen.insert(mac.to_owned()), "{mac} is on two nodes: {:#?}", self.after);
                let (address, mtu) = Sky::truth(mac, nic["cidr"].as_str().unwrap()).unwrap();
                assert!(nic["address"] == address && nic["mtu"] == mtu, "{nic}");
            }
        }
    }

    fn check_vm(&self, vm: usize) {
        let instance = &self.sky.vms[vm].id;
        let (before, after) = (self.before.of_instance(instance), self.after.of_instance(instance));
        let wanted: BTreeMap<_, _> = self.sky.selected(vm, 7).map(|port| (&port.mac, port)).collect();
        for (mac, id) in &before {
            match after.get(mac) {
                Some(new) => assert_eq!(id, new, "the id of {mac} moved"),
                None => assert!(
                    self.prune && !self.kept.contains(instance) && !wanted.contains_key(mac),
                    "{mac} was removed: {:#?}",
                    self.after
                ),
            }
        }
        for mac in after.keys().filter(|mac| !before.contains_key(*mac)) {
            assert!(
                wanted.contains_key(mac),
                "{mac} was taken up by {vm}, which nobody asked for"
            );
        }
        if self.complete {
            self.check_union(vm, &after);
        }
    }

    /// Everything that the configs of this pass select is there.
    fn check_union(&self, vm: usize, after: &BTreeMap<String, u64>) {
        let elsewhere = self.before.macs();
        let own = self.before.of_instance(&self.sky.vms[vm].id);
        for port in self.sky.selected(vm, self.configs) {
            let held_elsewhere = elsewhere.contains(&port.mac) && !own.contains_key(&port.mac);
            let is_taken = port.status != "ERROR" || own.contains_key(&port.mac);
            if is_taken && !held_elsewhere {
                assert!(
                    after.contains_key(&port.mac),
                    "{} is missing on {vm}: {:#?}",
                    port.mac,
                    self.after
                );
            }
        }
    }
}

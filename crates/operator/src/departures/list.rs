//! The list itself and its form in the ConfigMap. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use multinic_model::{ClusterId, ConfigKey, InstanceId, NodeName};
use multinic_planner::Claim;
use serde::{Deserialize, Serialize};

/// The list never grows beyond this many bytes; the API server takes 1 MiB for a whole ConfigMap. Some ten thousand
/// nodes fit.
pub const MAX_BYTES: usize = 900 * 1024;

/// What one config has left behind in one cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    /// The config's uid.
    pub uid: String,
    /// What it was called.
    pub key: ConfigKey,
    /// Where the nodes are.
    pub cluster: ClusterId,
    /// Since when.
    pub since: Timestamp,
    /// The nodes.
    pub claims: BTreeSet<Claim>,
}

/// All of them, by uid and cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RemovalList {
    queued: BTreeMap<(String, ClusterId), Queued>,
    /// Keys of the ConfigMap that nobody understands; they stay as they are.
    foreign: BTreeMap<String, String>,
}

/// One config's value in the ConfigMap.
#[derive(Serialize, Deserialize)]
struct Value {
    namespace: String,
    name: String,
    since: Timestamp,
    clusters: BTreeMap<ClusterId, Vec<(InstanceId, NodeName)>>,
}

impl RemovalList {
    /// Reads the ConfigMap's data.
    pub fn parse(data: BTreeMap<String, String>) -> Self {
        let mut list = Self::default();
        for (uid, text) in data {
            match serde_json::from_str::<Value>(&text) {
                Ok(value) => list.take_in(&uid, value),
                Err(_) => drop(list.foreign.insert(uid, text)),
            }
        }
        list
    }

    fn take_in(&mut self, uid: &str, value: Value) {
        for (cluster, claims) in value.clusters {
            let claims = claims
                .into_iter()
                .map(|(instance_id, node_name)| Claim { instance_id, node_name });
            self.add(Queued {
                uid: uid.to_owned(),
                key: ConfigKey {
                    namespace: value.namespace.clone(),
                    name: value.name.clone(),
                },
                cluster,
                since: value.since,
                claims: claims.collect(),
            });
        }
    }

    /// The ConfigMap's data.
    pub fn render(&self) -> BTreeMap<String, String> {
        let mut values: BTreeMap<&String, Value> = BTreeMap::new();
        for ((uid, cluster), queued) in &self.queued {
            let value = values.entry(uid).or_insert_with(|| Value {
                namespace: queued.key.namespace.clone(),
                name: queued.key.name.clone(),
                since: queued.since,
                clusters: BTreeMap::new(),
            });
            let claims = queued
                .claims
                .iter()
                .map(|claim| (claim.instance_id.clone(), claim.node_name.clone()));
            value.clusters.insert(cluster.clone(), claims.collect());
        }
        let mut data = self.foreign.clone();
        // A map of strings and lists of strings is always JSON.
        data.extend(
            values
                .into_iter()
                .filter_map(|(uid, value)| Some((uid.clone(), serde_json::to_string(&value).ok()?))),
        );
        data
    }

    /// Whether the ConfigMap would take it.
    pub fn fits(&self) -> bool {
        self.render()
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>()
            <= MAX_BYTES
    }

    /// Adds what a config has left behind.
    pub fn add(&mut self, queued: Queued) {
        let place = (queued.uid.clone(), queued.cluster.clone());
        match self.queued.get_mut(&place) {
            Some(known) => known.claims.extend(queued.claims),
            None => drop(self.queued.insert(place, queued)),
        }
    }

    /// Keeps only what is still to be withdrawn of one config in one cluster. Returns whether anything changed.
    pub fn settle(&mut self, uid: &str, cluster: &ClusterId, left: &BTreeSet<Claim>) -> bool {
        let place = (uid.to_owned(), cluster.clone());
        let Some(known) = self.queued.get_mut(&place) else {
            return false;
        };
        let before = known.claims.len();
        known.claims.retain(|claim| left.contains(claim));
        let after = known.claims.len();
        if after == 0 {
            self.queued.remove(&place);
        }
        after != before || after == 0
    }

    /// What is to be withdrawn in one cluster, by uid.
    pub fn of(&self, cluster: &ClusterId) -> impl Iterator<Item = &Queued> {
        self.queued.values().filter(move |queued| queued.cluster == *cluster)
    }

    /// Every cluster that is concerned.
    pub fn clusters(&self) -> BTreeSet<&ClusterId> {
        self.queued.values().map(|queued| &queued.cluster).collect()
    }

    /// How many nodes wait.
    pub fn len(&self) -> usize {
        self.queued.values().map(|queued| queued.claims.len()).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.queued.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn claim(n: u8) -> Claim {
        Claim {
            instance_id: format!("i-{n}").parse().unwrap(),
            node_name: format!("w{n}").parse().unwrap(),
        }
    }

    fn queued(uid: u8, cluster: u8, claims: &[u8]) -> Queued {
        Queued {
            uid: format!("uid-{uid}"),
            key: ConfigKey {
                namespace: "ns".to_owned(),
                name: format!("c{uid}"),
            },
            cluster: format!("biz/{cluster}").replace('/', "~").parse().unwrap(),
            since: Timestamp::UNIX_EPOCH,
            claims: claims.iter().copied().map(claim).collect(),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(all in vec((0..4_u8, 0..3_u8, vec(0..20_u8, 1..5)), 0..12)) {
            let mut list = RemovalList::default();
            for (uid, cluster, claims) in all {
                list.add(queued(uid, cluster, &claims));
            }
            prop_assert_eq!(RemovalList::parse(list.render()), list);
        }
    }

    #[test]
    fn what_was_withdrawn_goes_and_an_emptied_entry_with_it() {
        let mut list = RemovalList::default();
        list.add(queued(1, 1, &[1, 2]));
        let cluster = queued(1, 1, &[]).cluster;
        assert!(list.settle("uid-1", &cluster, &BTreeSet::from([claim(2)])));
        assert!(!list.settle("uid-1", &cluster, &BTreeSet::from([claim(2)])));
        assert_eq!(list.len(), 1);
        assert!(list.settle("uid-1", &cluster, &BTreeSet::new()));
        assert!(list.is_empty() && list.render().is_empty());
    }

    #[test]
    fn a_key_that_nobody_understands_stays() {
        let data = BTreeMap::from([("note".to_owned(), "by hand".to_owned())]);
        let list = RemovalList::parse(data.clone());
        assert!(list.is_empty());
        assert_eq!(list.render(), data);
    }

    #[test]
    fn ten_thousand_nodes_fit_and_the_list_says_when_no_more_do() {
        let mut list = RemovalList::default();
        for uid in 0..20_u32 {
            let node = |n: u32| Claim {
                instance_id: format!("a0000000-0000-4000-8000-{:012}", uid * 500 + n)
                    .parse()
                    .unwrap(),
                node_name: format!("measure-biz-worker-{n}").parse().unwrap(),
            };
            list.add(Queued {
                uid: format!("b0000000-0000-4000-8000-{uid:012}"),
                claims: (0..500).map(node).collect(),
                ..queued(1, 1, &[])
            });
        }
        assert!(list.fits());
        let mut more = list.clone();
        for uid in 0..20 {
            let mut entry = list.queued.values().next().unwrap().clone();
            entry.uid = format!("more-{uid}");
            more.add(entry);
        }
        assert!(!more.fits());
    }
}

//! The index against its words.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::*;
use crate::watch::Watched;

/// One OpenstackConfig in a few strokes.
#[derive(Clone, Debug)]
struct Sketch {
    name: u8,
    uid: u8,
    version: u32,
    generation: i64,
    cluster: Option<u8>,
    recorded: Option<u8>,
    claims: bool,
    deleted: bool,
    finalizer: bool,
}

impl Sketch {
    fn new(name: u8) -> Self {
        Self {
            name,
            uid: 0,
            version: 1,
            generation: 1,
            cluster: Some(0),
            recorded: None,
            claims: false,
            deleted: false,
            finalizer: true,
        }
    }

    fn record(&self) -> Arc<Record> {
        let claim = json!({"vm": "w1", "instanceID": "i-1", "nodeName": "w1", "interfaces": 1, "state": "Delivered"});
        let mut metadata = json!({
            "name": format!("c{}", self.name), "namespace": "ns", "uid": format!("uid-{}", self.uid),
            "resourceVersion": self.version.to_string(), "generation": self.generation,
            "finalizers": if self.finalizer { vec![crate::finalizer::FINALIZER] } else { vec![] },
        });
        if self.deleted {
            metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        let spec = match self.cluster {
            Some(cluster) => json!({"subnetID": "s", "vmNames": ["w1"], "credentials": {
                "openstackProviderID": "p", "k8sProviderID": format!("biz-{cluster}"), "projectID": "df64928216f740d3a6b84a66fa30b649"}}),
            None => json!({"vmNames": 7}),
        };
        let mut status = json!({"nodes": if self.claims { vec![claim] } else { vec![] }});
        if let Some(cluster) = self.recorded {
            status["clusterID"] = json!(format!("biz-{cluster}"));
        }
        let watched: Watched =
            serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap();
        Arc::new(Record::new(watched).unwrap())
    }
}

fn see(index: &mut Index, sketch: &Sketch) -> BTreeSet<Unit> {
    let record = sketch.record();
    index.see(&record.key.clone(), Some(record))
}

fn unit(cluster: u8) -> Unit {
    Unit::Cluster(format!("biz-{cluster}").parse().unwrap())
}

fn role(sketch: &Sketch) -> (Unit, Role) {
    part(&sketch.record())
}

#[test]
fn a_config_takes_part_where_its_spec_says_until_it_has_delivered_elsewhere() {
    let fresh = Sketch::new(0);
    assert_eq!(role(&fresh), (unit(0), Role::Present));
    let delivered = Sketch {
        recorded: Some(0),
        claims: true,
        ..fresh.clone()
    };
    assert_eq!(role(&delivered), (unit(0), Role::Present));
    let moved = Sketch {
        cluster: Some(1),
        ..delivered.clone()
    };
    assert_eq!(role(&moved), (unit(0), Role::Moving), "what it has there goes first");
    let empty = Sketch { claims: false, ..moved };
    assert_eq!(role(&empty), (unit(1), Role::Present));
}

#[test]
fn a_deleted_config_leaves_the_cluster_that_it_delivered_into() {
    let delivered = Sketch {
        cluster: Some(1),
        recorded: Some(0),
        claims: true,
        deleted: true,
        ..Sketch::new(0)
    };
    assert_eq!(role(&delivered), (unit(0), Role::Deleted));
    let unreadable = Sketch {
        cluster: None,
        ..delivered.clone()
    };
    assert_eq!(role(&unreadable), (unit(0), Role::Deleted));
    let nothing = Sketch {
        claims: false,
        ..unreadable
    };
    assert_eq!(role(&nothing), (Unit::Nowhere, Role::Deleted));
}

#[test]
fn a_provider_is_named_for_as_long_as_a_config_asks_something_of_it() {
    let (provider, mut index) = ("p".parse().unwrap(), Index::default());
    assert_eq!(index.providers(), BTreeSet::new());
    let asks = Sketch::new(0);
    let elsewhere = Sketch {
        cluster: Some(1),
        ..Sketch::new(1)
    };
    for sketch in [&asks, &elsewhere] {
        see(&mut index, sketch);
    }
    assert_eq!(index.providers(), BTreeSet::from([ProviderId::clone(&provider)]));
    assert_eq!(index.of_provider(&provider), BTreeSet::from([unit(0), unit(1)]));
    assert_eq!(index.of_provider(&"q".parse().unwrap()), BTreeSet::new());
    let (deleted, unreadable) = (
        Sketch {
            deleted: true,
            version: 2,
            ..asks
        },
        Sketch {
            cluster: None,
            version: 2,
            ..elsewhere
        },
    );
    for sketch in [&deleted, &unreadable] {
        see(&mut index, sketch);
    }
    assert_eq!(index.providers(), BTreeSet::new());
}

#[test]
fn a_config_that_cannot_be_read_stays_with_what_it_delivered() {
    let broken = Sketch {
        cluster: None,
        recorded: Some(2),
        claims: true,
        ..Sketch::new(0)
    };
    assert_eq!(role(&broken), (unit(2), Role::Unreadable));
    let nothing = Sketch {
        claims: false,
        ..broken
    };
    assert_eq!(role(&nothing), (Unit::Nowhere, Role::Unreadable));
}

#[test]
fn what_the_operator_writes_itself_makes_nothing_due() {
    let mut index = Index::default();
    let fresh = Sketch {
        finalizer: false,
        ..Sketch::new(0)
    };
    assert_eq!(see(&mut index, &fresh), BTreeSet::from([unit(0)]));
    let marked = Sketch {
        version: 2,
        finalizer: true,
        ..fresh
    };
    assert_eq!(see(&mut index, &marked), BTreeSet::new());
    let recorded = Sketch {
        version: 3,
        recorded: Some(0),
        claims: true,
        ..marked
    };
    assert_eq!(see(&mut index, &recorded), BTreeSet::new());
    let changed = Sketch {
        version: 4,
        generation: 2,
        ..recorded.clone()
    };
    assert_eq!(see(&mut index, &changed), BTreeSet::from([unit(0)]));
    let robbed = Sketch {
        version: 5,
        finalizer: false,
        ..changed.clone()
    };
    assert_eq!(
        see(&mut index, &robbed),
        BTreeSet::from([unit(0)]),
        "somebody took our finalizer away"
    );
    let deleted = Sketch {
        version: 6,
        deleted: true,
        ..changed
    };
    assert_eq!(see(&mut index, &deleted), BTreeSet::from([unit(0)]));
}

#[test]
fn what_was_written_is_known_although_the_watch_is_late() {
    let mut index = Index::default();
    let seen = Sketch::new(0);
    see(&mut index, &seen);
    let written = Sketch {
        version: 7,
        recorded: Some(0),
        claims: true,
        ..seen.clone()
    };
    assert_eq!(index.wrote(written.record()), BTreeSet::new());
    let late = Sketch { version: 6, ..seen };
    assert_eq!(see(&mut index, &late), BTreeSet::new());
    assert!(
        index.of(&unit(0))[0].has_claims(),
        "the record of the delivery is not forgotten"
    );
    assert_eq!(see(&mut index, &written), BTreeSet::new());
}

#[test]
fn a_config_that_has_left_its_old_cluster_makes_the_new_one_due() {
    let mut index = Index::default();
    let moving = Sketch {
        cluster: Some(1),
        recorded: Some(0),
        claims: true,
        ..Sketch::new(0)
    };
    assert_eq!(see(&mut index, &moving), BTreeSet::from([unit(0)]));
    let left = Sketch {
        version: 2,
        recorded: None,
        claims: false,
        ..moving
    };
    assert_eq!(index.wrote(left.record()), BTreeSet::from([unit(0), unit(1)]));
    assert!(!index.has(&unit(0)), "nothing is left of an empty cluster");
}

#[test]
fn what_was_written_to_a_config_that_is_gone_does_not_bring_it_back() {
    let mut index = Index::default();
    let config = Sketch::new(0);
    see(&mut index, &config);
    index.see(&config.record().key, None);
    assert_eq!(
        index.wrote(
            Sketch {
                version: 9,
                ..config.clone()
            }
            .record()
        ),
        BTreeSet::new()
    );
    assert_eq!(index.units().count(), 0);
    // Nor does it overwrite another one of the same name.
    see(
        &mut index,
        &Sketch {
            uid: 1,
            ..config.clone()
        },
    );
    index.wrote(Sketch { version: 9, ..config }.record());
    assert_eq!(index.of(&unit(0))[0].uid, "uid-1");
}

fn sketch() -> impl Strategy<Value = (Sketch, bool)> {
    let place = (
        proptest::option::of(0..3_u8),
        proptest::option::of(0..3_u8),
        any::<bool>(),
    );
    ((0..4_u8, 0..2_u8, 1..4_i64), place, any::<(bool, bool, bool)>()).prop_map(
        |((name, uid, generation), (cluster, recorded, claims), (deleted, finalizer, gone))| {
            let sketch = Sketch {
                name,
                uid,
                version: 1,
                generation,
                cluster,
                recorded,
                claims,
                deleted,
                finalizer,
            };
            (sketch, gone)
        },
    )
}

/// Who is where.
fn view(index: &Index) -> Vec<(Unit, Vec<Arc<Record>>)> {
    index.units().map(|unit| (unit.clone(), index.of(unit))).collect()
}

proptest! {
    /// However the events of different configs are mixed, and however many were lost on the way (a new list shows only the
    /// last state): the index is the same.
    #[test]
    fn only_the_last_word_on_each_config_counts(events in vec(sketch(), 0..40), order in any::<u64>()) {
        let mut told = Index::default();
        let mut last = BTreeMap::new();
        for (version, (sketch, gone)) in (1..).zip(events) {
            let sketch = Sketch { version, ..sketch };
            let record = sketch.record();
            let word = (!gone).then(|| Arc::clone(&record));
            let due = told.see(&record.key, word.clone());
            if let Some(record) = &word {
                prop_assert!(told.of(&part(record).0).contains(record));
            }
            prop_assert!(due.len() <= 2);
            last.insert(record.key.clone(), word);
        }
        let mut fresh = Index::default();
        let mut words: Vec<_> = last.into_iter().collect();
        if order % 2 == 0 {
            words.reverse();
        }
        for (key, word) in words {
            fresh.see(&key, word);
        }
        prop_assert_eq!(view(&told), view(&fresh));
    }

    /// A config that comes, goes or wants something else makes the cluster that it leaves and the one that it comes to due.
    #[test]
    fn nobody_is_forgotten((before, _) in sketch(), (after, gone) in sketch()) {
        let mut index = Index::default();
        let after = Sketch { name: before.name, version: 2, ..after };
        let came = see(&mut index, &before);
        prop_assert!(came.contains(&role(&before).0));
        let key = before.record().key.clone();
        let due = index.see(&key, (!gone).then(|| after.record()));
        if gone || role(&before) != role(&after) || before.generation != after.generation {
            prop_assert!(due.contains(&role(&before).0), "{due:?}");
        }
        if !gone && (role(&before) != role(&after) || before.generation != after.generation) {
            prop_assert!(due.contains(&role(&after).0), "{due:?}");
        }
    }
}

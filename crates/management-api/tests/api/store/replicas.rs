//! Many writers at two replicas on one PostgreSQL, at random: whatever they did can be told as one story in which one thing
//! happened after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use multinic_management_api::store::changes::{Change, ChangeKind};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{
    api::{Api, NODES, send},
    configs::{cluster, mac, name},
    database::TestDatabase,
};

const WRITERS: u64 = 8;
const STEPS: usize = 25;
const NAMES: usize = 5;
const PORTS: usize = 9;

/// What a writer did and was told; `begun` and `ended` are ticks of a clock that all share.
#[derive(Debug)]
struct Told {
    begun: u64,
    ended: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// The instance ids, and for each node that was taken its revision and the one it was made from.
    Posted(BTreeMap<String, (u64, Option<u64>)>),
    /// The node that went.
    Removed(usize),
    Nothing,
}

/// One writer: random batches, random deletions, now and then from a revision that is an older one by now.
async fn write(api: Arc<Api>, clock: Arc<AtomicU64>, seed: u64) -> Vec<Told> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut known = BTreeMap::new();
    let mut story = Vec::new();
    for step in 0..STEPS {
        let begun = clock.fetch_add(1, Ordering::SeqCst);
        let what = if random.random_ratio(1, 6) {
            remove(&api, random.random_range(0..NAMES)).await
        } else {
            post(&api, &mut random, &mut known, &format!("{seed}-{step}")).await
        };
        let ended = clock.fetch_add(1, Ordering::SeqCst);
        story.push(Told { begun, ended, what });
    }
    story
}

async fn remove(api: &Api, number: usize) -> What {
    let answer = api.delete(&format!("{NODES}/{}", name(number))).await;
    match answer.status.as_u16() {
        204 => What::Removed(number),
        404 => What::Nothing,
        _ => panic!("{answer:?}"),
    }
}

async fn post(api: &Api, random: &mut StdRng, known: &mut BTreeMap<usize, u64>, tag: &str) -> What {
    let numbers: BTreeSet<_> = (0..random.random_range(1..4))
        .map(|_| random.random_range(0..NAMES))
        .collect();
    let numbers: Vec<_> = numbers.into_iter().collect();
    let mut made_from = Vec::new();
    let mut batch = Vec::new();
    for number in &numbers {
        let revision = random
            .random_ratio(1, 2)
            .then(|| known.get(number).copied().unwrap_or(0));
        made_from.push(revision);
        batch.push(config(random, *number, tag, revision));
    }
    let answer = send(api.request(Method::POST, NODES).json(&batch)).await;
    assert!(matches!(answer.status.as_u16(), 200 | 207 | 422), "{answer:?}");
    let mut taken = BTreeMap::new();
    for ((number, made_from), result) in numbers
        .iter()
        .zip(made_from)
        .zip(answer.json["results"].as_array().unwrap())
    {
        let Some(revision) = result["revision"].as_u64() else {
            continue;
        };
        assert!(
            matches!(result["status"].as_str(), Some("created" | "updated")),
            "{result}"
        );
        known.insert(*number, revision);
        taken.insert(format!("i-{tag}-{number}"), (revision, made_from));
    }
    What::Posted(taken)
}

/// Interfaces out of so few that writers get into one another's way.
fn config(random: &mut StdRng, number: usize, tag: &str, revision: Option<u64>) -> Value {
    let ports: BTreeSet<_> = (0..random.random_range(0..3))
        .map(|_| random.random_range(0..PORTS))
        .collect();
    let interface = |(index, port): (usize, &usize)| {
        json!({"id": index + 1, "macAddress": mac(*port), "address": format!("10.0.0.{}", port + 1),
            "cidr": "10.0.0.0/24", "mtu": 1500})
    };
    let interfaces: Vec<_> = ports.iter().enumerate().map(interface).collect();
    let mut config =
        json!({"nodeName": name(number), "instanceId": format!("i-{tag}-{number}"), "interfaces": interfaces});
    if let Some(revision) = revision {
        config["revision"] = revision.into();
    }
    config
}

/// The nodes as they are after a change, by replaying.
#[derive(Default)]
struct Replay {
    nodes: BTreeMap<String, Change>,
    revisions: BTreeMap<String, u64>,
}

impl Replay {
    /// The revision that was in force before; 0: none.
    fn take(&mut self, change: &Change) -> u64 {
        let node = change.config.node_name.to_string();
        let revision = self.revisions.entry(node.clone()).or_default();
        assert_eq!(change.revision, *revision + 1, "{change:?}");
        *revision += 1;
        let before = match change.kind {
            ChangeKind::Deleted => self.nodes.remove(&node),
            ChangeKind::Created | ChangeKind::Updated => self.nodes.insert(node, change.clone()),
        };
        assert_eq!(before.is_some(), change.kind != ChangeKind::Created, "{change:?}");
        before.map_or(0, |before| before.revision)
    }

    fn nothing_is_had_twice(&self) {
        let mut had = BTreeSet::new();
        let interfaces = self.nodes.values().flat_map(|change| &change.config.interfaces);
        for interface in interfaces {
            assert!(
                had.insert(interface.mac_address.to_string()),
                "{interface:?} is had twice"
            );
            assert!(
                had.insert(interface.address.address().to_string()),
                "{interface:?} is had twice"
            );
        }
    }
}

/// All changes of one batch have the same time and the same tag; nothing is had twice once the last of them is done.
fn is_last_of_batch(changes: &[Change], index: usize) -> bool {
    let tag = |change: &Change| {
        let instance = change.config.instance_id.to_string();
        (change.kind != ChangeKind::Deleted).then(|| instance.rsplit_once('-').map(|(tag, _)| tag.to_owned()))
    };
    let next = changes.get(index + 1);
    next.is_none_or(|next| tag(next).is_none() || tag(next) != tag(&changes[index]))
}

#[tokio::test]
async fn many_writers_at_two_replicas_lose_nothing() {
    let database = TestDatabase::postgres();
    let replicas = [
        Arc::new(Api::start(&database).await),
        Arc::new(Api::start(&database).await),
    ];
    let clock = Arc::new(AtomicU64::new(0));
    let mut writing = JoinSet::new();
    for (seed, replica) in (0..WRITERS).zip(replicas.iter().cycle()) {
        writing.spawn(write(Arc::clone(replica), Arc::clone(&clock), seed));
    }
    let told: Vec<_> = writing.join_all().await.into_iter().flatten().collect();
    let changes = database.store().await.changes(&cluster(), 0, 100_000).await.unwrap();

    let mut replay = Replay::default();
    let mut at = BTreeMap::new();
    let mut removals: BTreeMap<String, usize> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        assert_eq!(change.sequence, index as u64 + 1);
        let before = replay.take(change);
        if is_last_of_batch(&changes, index) {
            replay.nothing_is_had_twice();
        }
        if change.kind == ChangeKind::Deleted {
            *removals.entry(change.config.node_name.to_string()).or_default() += 1;
        } else {
            let instance = change.config.instance_id.to_string();
            assert!(
                at.insert(instance, (change.sequence, change.revision, before))
                    .is_none()
            );
        }
    }

    let mut accepted = 0;
    let mut moments = Vec::new();
    for story in &told {
        let What::Posted(taken) = &story.what else { continue };
        for (instance, (revision, made_from)) in taken {
            let (sequence, kept, before) = at[instance];
            assert_eq!(kept, *revision);
            assert!(
                made_from.is_none_or(|made_from| made_from == before),
                "{instance} was made from an older one"
            );
            moments.push((story.begun, story.ended, sequence));
            accepted += 1;
        }
    }
    assert_eq!(accepted, at.len(), "every change was told to somebody");
    let mut removed: BTreeMap<String, usize> = BTreeMap::new();
    for story in &told {
        if let What::Removed(number) = story.what {
            *removed.entry(name(number).to_string()).or_default() += 1;
        }
    }
    assert_eq!(removed, removals);
    for (_, ended, earlier) in &moments {
        for (begun, _, later) in &moments {
            assert!(
                begun < ended || earlier < later,
                "what was over first comes later in the history"
            );
        }
    }
    assert!(accepted > 50, "the writers only got into one another's way");
}

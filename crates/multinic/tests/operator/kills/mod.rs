//! `kill -9` at every request of a pass, before the server has done it and after: what the next process makes of it is
//! what would have come without.

mod acts;
mod steps;

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use tokio::time::timeout;

use crate::{
    replica::Replica,
    stage::{CLUSTER, PATIENCE, Stage, ids},
};
use acts::{ACTS, Act, State};
use steps::{Step, When};

/// So many worlds at a time.
const WORLDS: usize = 4;

/// The acts without any kill: the requests of each, and the state after it.
async fn record() -> BTreeMap<Act, (Vec<Step>, State)> {
    let stage = Stage::new().await;
    let mut replica = None;
    let mut acts = BTreeMap::new();
    for act in ACTS {
        if !act.is_live() {
            drop(replica.take());
        }
        clear(&stage);
        act.play(&stage);
        let _running = replica.get_or_insert_with(|| Replica::alone(&stage));
        stage.until(|config| act.is_over(config)).await;
        acts.insert(act, (steps::steps(&stage), State::of(&stage)));
    }
    acts
}

fn clear(stage: &Stage) {
    stage.kubernetes.clear_requests();
    stage.lab.clear_requests();
    stage.receiver.clear_requests();
}

/// Waits until a replica that was just started has come to the end of the act, and has looked at everything itself.
async fn until_quiet(stage: &Stage, act: Act) {
    stage.until(|config| act.is_over(config)).await;
    if act != Act::Deletion {
        stage
            .lab
            .until(|requests| requests.iter().any(|request| request.path().ends_with("/ports")))
            .await;
        stage
            .receiver
            .until(|requests| requests.iter().any(|request| request.method == "GET"))
            .await;
    }
}

/// A world in which each act is cut short once, or not at all.
struct World {
    stage: Stage,
    replica: Option<Replica>,
    /// The id of each interface since it was first delivered.
    ids: BTreeMap<(String, String), u64>,
    kills: usize,
}

impl World {
    async fn new() -> Self {
        Self {
            stage: Stage::new().await,
            replica: None,
            ids: BTreeMap::new(),
            kills: 0,
        }
    }

    async fn play(&mut self, act: Act, cut: Option<(&Step, When)>, expected: &State) {
        let stage = &self.stage;
        if !act.is_live() {
            drop(self.replica.take());
        }
        clear(stage);
        if let Some((step, when)) = cut {
            steps::inject(stage, step, when);
        }
        act.play(stage);
        let replica = self.replica.take().unwrap_or_else(|| Replica::alone(stage));
        let log = replica.log_file();
        if let Some((step, _)) = cut {
            // The requests of two runs are not the same to the last one: one that does not come this time is no miss.
            tokio::select! {
                () = steps::until_met(stage, step) => self.kills += 1,
                _ = stage.until(|config| act.is_over(config)) => {}
            }
        }
        replica.kill();
        stage.kubernetes.clear_faults();
        stage.lab.faults().clear();
        stage.receiver.faults().clear();
        self.check_posts(&format!("{act:?} cut at {cut:?}"));
        let stage = &self.stage;
        clear(stage);
        let replica = self.replica.insert(Replica::alone(stage));
        let over = timeout(PATIENCE, until_quiet(stage, act)).await;
        let story = format!("{act:?} cut at {cut:?}\n{}\n---\n{}", log.read(), replica.log());
        assert!(over.is_ok(), "{story}");
        let found = State::of(stage);
        assert!(found == *expected, "{story}\nis       {found:#}\nexpected {expected:#}");
        self.check_posts(&story);
    }

    /// No interface moves to another id as long as its node holds it, and no two have one.
    fn check_posts(&mut self, story: &str) {
        for post in self.stage.receiver.posts() {
            for node in post.json().as_array().unwrap() {
                let name = node["nodeName"].as_str().unwrap().to_owned();
                let held = ids(node);
                self.ids
                    .retain(|(other, mac), _| *other != name || held.contains_key(mac));
                for (mac, id) in held {
                    let known = *self.ids.entry((name.clone(), mac)).or_insert(id);
                    assert_eq!(known, id, "{story}");
                }
            }
            assert_eq!(post.cluster, CLUSTER);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_request_of_a_pass_nothing_is_lost_moved_or_left_over() {
    let acts = record().await;
    for (act, (steps, state)) in &acts {
        println!("{act:?}: {} requests", steps.len());
        assert!(!steps.is_empty());
        assert_eq!(state.config.is_null(), *act == Act::Deletion);
    }
    let longest = acts.values().map(|(steps, _)| steps.len()).max().unwrap();
    let cells = (0..longest).flat_map(|index| [(index, When::Before), (index, When::After)]);
    let acts = &acts;
    let worlds = stream::iter(cells).map(|(index, when)| async move {
        let mut world = World::new().await;
        for (act, (steps, expected)) in acts {
            let cut = steps.get(index).map(|step| (step, when));
            world.play(*act, cut, expected).await;
        }
        world.kills
    });
    let kills: usize = worlds
        .buffer_unordered(WORLDS)
        .fold(0, |sum, kills| async move { sum + kills })
        .await;
    let wanted: usize = acts.values().map(|(steps, _)| 2 * steps.len()).sum();
    println!("{kills} kills of {wanted}");
    assert!(kills * 10 >= wanted * 9, "only {kills} of {wanted} kills came about");
}

//! Three replicas, one API server, and everything that can go wrong between them: at no moment two open fences.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

use super::{
    contender::{Answer, Contender, Next, Record, Request},
    timing::Timing,
};

const REPLICAS: usize = 3;

#[derive(Clone, Debug)]
enum Event {
    /// Time passes for everybody; a replica that does not move meanwhile is a stopped one.
    Pass(u64),
    /// A replica asks and hears the answer at once.
    Ask(usize),
    /// A replica does the next thing: asks, or hears the answer.
    Move(usize),
    /// The server handles what a replica has sent.
    Serve(usize),
    /// A replica no longer waits; what it sent may still arrive.
    GiveUp(usize),
    /// The server handles a request that nobody waits for any more.
    ServeForgotten(prop::sample::Index),
    /// A replica is killed and started anew.
    Crash(usize),
    /// A replica shuts down in order and is started anew.
    Release(usize),
    /// Somebody deletes the lease.
    Delete,
}

fn event() -> impl Strategy<Value = Event> {
    let replica = 0..REPLICAS;
    prop_oneof![
        8 => (1_u64..2_500).prop_map(Event::Pass),
        1 => (9_000_u64..11_000).prop_map(Event::Pass),
        1 => (2_500_u64..20_000).prop_map(Event::Pass),
        12 => replica.clone().prop_map(Event::Ask),
        12 => replica.clone().prop_map(Event::Move),
        12 => replica.clone().prop_map(Event::Serve),
        2 => replica.clone().prop_map(Event::GiveUp),
        2 => any::<prop::sample::Index>().prop_map(Event::ServeForgotten),
        1 => replica.clone().prop_map(Event::Crash),
        1 => replica.prop_map(Event::Release),
        1 => Just(Event::Delete),
    ]
}

#[derive(Debug)]
enum Wire {
    Idle,
    Sent {
        request: Request,
        began: Duration,
    },
    Answered {
        request: Request,
        began: Duration,
        answer: Answer,
    },
}

#[derive(Debug)]
struct Replica {
    contender: Contender,
    /// Its clock: where it began, and how fast it goes in percent of the true time.
    offset: Duration,
    percent: u32,
    fence: Duration,
    wire: Wire,
}

#[derive(Debug)]
struct World {
    now: Duration,
    lease: Option<Record>,
    versions: u32,
    starts: u32,
    replicas: Vec<Replica>,
    forgotten: Vec<Request>,
}

impl World {
    fn new(percents: &[u32]) -> Self {
        let mut world = Self {
            now: Duration::from_secs(100),
            lease: None,
            versions: 0,
            starts: 0,
            replicas: Vec::new(),
            forgotten: Vec::new(),
        };
        for &percent in percents {
            let replica = world.start(percent);
            world.replicas.push(replica);
        }
        world
    }

    fn start(&mut self, percent: u32) -> Replica {
        self.starts += 1;
        Replica {
            contender: Contender::new(format!("replica-{}", self.starts), Timing::default()),
            offset: Duration::from_secs(1000 * u64::from(self.starts)),
            percent,
            fence: Duration::ZERO,
            wire: Wire::Idle,
        }
    }

    fn clock(&self, index: usize) -> Duration {
        let replica = &self.replicas[index];
        replica.offset + self.now * replica.percent / 100
    }

    fn leaders(&self) -> Vec<usize> {
        (0..REPLICAS)
            .filter(|&index| self.clock(index) < self.replicas[index].fence)
            .collect()
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Pass(millis) => self.now += Duration::from_millis(*millis),
            Event::Ask(index) => self.ask(*index),
            Event::Move(index) => self.step(*index),
            Event::Serve(index) => self.serve(*index),
            Event::GiveUp(index) => self.give_up(*index),
            Event::ServeForgotten(index) => {
                if !self.forgotten.is_empty() {
                    let request = self.forgotten.remove(index.index(self.forgotten.len()));
                    self.handle(&request);
                }
            }
            Event::Crash(index) => self.restart(*index),
            Event::Release(index) => {
                self.replicas[*index].fence = Duration::ZERO;
                if let Some(record) = self.replicas[*index].contender.release(wall()) {
                    self.forgotten.push(Request::Replace(record));
                }
                self.restart(*index);
            }
            Event::Delete => self.delete(),
        }
    }

    /// What cannot be held: a replica that has never seen the lease cannot know that it was there. So nobody starts
    /// while it is gone, and nobody still tries to make the very first one.
    fn delete(&mut self) {
        let known = |replica: &Replica| replica.contender.holder().is_some();
        if self.replicas.iter().all(known) {
            self.lease = None;
            self.forgotten.retain(|request| !matches!(request, Request::Create(_)));
        }
    }

    fn restart(&mut self, index: usize) {
        if self.lease.is_none() && self.versions > 0 {
            return;
        }
        let percent = self.replicas[index].percent;
        let fresh = self.start(percent);
        let old = std::mem::replace(&mut self.replicas[index], fresh);
        if let Wire::Sent { request, .. } = old.wire {
            self.forgotten.push(request);
        }
    }

    fn step(&mut self, index: usize) {
        let now = self.clock(index);
        let replica = &mut self.replicas[index];
        replica.wire = match std::mem::replace(&mut replica.wire, Wire::Idle) {
            Wire::Idle => match replica.contender.next(now, wall()) {
                Next::Send(request) => Wire::Sent { request, began: now },
                Next::Wait(_) => Wire::Idle,
            },
            Wire::Answered { request, began, answer } => {
                replica.contender.answered(&request, answer, began, now);
                replica.fence = replica.contender.leads_until(now).unwrap_or_default();
                Wire::Idle
            }
            sent @ Wire::Sent { .. } => sent,
        };
    }

    fn ask(&mut self, index: usize) {
        self.step(index);
        self.serve(index);
        self.step(index);
    }

    fn serve(&mut self, index: usize) {
        let wire = std::mem::replace(&mut self.replicas[index].wire, Wire::Idle);
        self.replicas[index].wire = match wire {
            Wire::Sent { request, began } => {
                let answer = self.handle(&request);
                Wire::Answered { request, began, answer }
            }
            other => other,
        };
    }

    fn give_up(&mut self, index: usize) {
        let now = self.clock(index);
        let replica = &mut self.replicas[index];
        let (request, began, forgotten) = match std::mem::replace(&mut replica.wire, Wire::Idle) {
            Wire::Idle => return,
            Wire::Sent { request, began } => (request, began, true),
            Wire::Answered { request, began, .. } => (request, began, false),
        };
        replica.contender.answered(&request, Answer::Unknown, began, now);
        replica.fence = replica.contender.leads_until(now).unwrap_or_default();
        if forgotten {
            self.forgotten.push(request);
        }
    }

    /// The API server: optimistic concurrency by version.
    fn handle(&mut self, request: &Request) -> Answer {
        match (request, &self.lease) {
            (Request::Read, Some(lease)) => Answer::Stands(lease.clone()),
            (Request::Create(record), None) => self.store(record),
            (Request::Replace(record), Some(lease)) if record.version == lease.version => self.store(record),
            (Request::Read | Request::Replace(_), None) => Answer::Absent,
            (Request::Create(_) | Request::Replace(_), Some(_)) => Answer::Conflict,
        }
    }

    /// Writing what is there already changes nothing, not even the version.
    fn store(&mut self, record: &Record) -> Answer {
        if let Some(lease) = &self.lease
            && record == lease
        {
            return Answer::Stands(lease.clone());
        }
        self.versions += 1;
        let stored = Record {
            version: self.versions.to_string(),
            ..record.clone()
        };
        self.lease = Some(stored.clone());
        Answer::Stands(stored)
    }

    /// A quiet minute in which everything works.
    fn calm(&mut self) {
        for _ in 0..300 {
            for index in 0..REPLICAS {
                self.ask(index);
            }
            self.now += Duration::from_millis(200);
        }
    }
}

/// All wall clocks stand still: nothing may depend on them.
fn wall() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        rng_seed: RngSeed::Fixed(20_260_101),
        ..ProptestConfig::default()
    })]

    #[test]
    fn never_are_two_fences_open_and_in_the_end_one_is(
        percents in prop::array::uniform3(90_u32..=110),
        events in vec(event(), 1..400),
    ) {
        let mut world = World::new(&percents);
        for event in &events {
            world.happen(event);
            prop_assert!(world.leaders().len() <= 1, "{event:?} left {:?} in {world:?}", world.leaders());
        }
        world.calm();
        prop_assert_eq!(world.leaders().len(), 1, "nobody leads after a calm minute: {:?}", world);
    }
}

#[test]
fn the_random_events_do_make_leaders_that_lose_their_lease() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut terms, mut last) = (0, None);
    for _ in 0..50 {
        let events = vec(event(), 400).new_tree(&mut runner).unwrap().current();
        let mut world = World::new(&[100, 95, 105]);
        for event in &events {
            world.happen(event);
            if let [leader] = world.leaders()[..]
                && last != Some(leader)
            {
                (terms, last) = (terms + 1, Some(leader));
            }
        }
    }
    assert!(terms > 150, "only {terms} changes of leadership in 50 histories");
}

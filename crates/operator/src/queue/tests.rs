//! The queue against a model that is as simple as the words that describe it.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio::time::Instant;

use super::{Backoff, Demand, Queue};

/// What was asked for, as a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Bits(u8);

impl Demand for Bits {
    fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

const BACKOFF: Backoff = Backoff {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(8),
};

#[derive(Clone, Debug)]
enum Step {
    Event { key: u8, bit: u8, afresh: bool },
    Pop,
    Succeed { key: u8, next: Option<u64> },
    Fail { key: u8, jitter: f64, next: Option<u64> },
    Forget { key: u8 },
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..4_u8;
    let next = || proptest::option::of(0..10_000_u64);
    prop_oneof![
        (key.clone(), 3..8_u8, any::<bool>()).prop_map(|(key, bit, afresh)| Step::Event { key, bit, afresh }),
        Just(Step::Pop),
        Just(Step::Pop),
        (key.clone(), next()).prop_map(|(key, next)| Step::Succeed { key, next }),
        (key.clone(), 0.0..=1.0, next()).prop_map(|(key, jitter, next)| Step::Fail { key, jitter, next }),
        key.prop_map(|key| Step::Forget { key }),
        (0..5_000_u64).prop_map(Step::Wait),
    ]
}

/// Why something was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    Event,
    Failure,
    Regular,
}

/// One key of the model: a list of everything that is still to be given out, and whether it runs.
#[derive(Default, Debug)]
struct Wishes {
    open: Vec<(Why, Instant, u8)>,
    running: bool,
    failures: u32,
    forgiven: bool,
}

impl Wishes {
    fn due(&self) -> Option<Instant> {
        self.open.iter().map(|(_, at, _)| *at).min()
    }

    fn drop(&mut self, why: Why) {
        self.open.retain(|(reason, ..)| *reason != why);
    }

    fn regular(&mut self, now: Instant, next: Option<u64>) {
        self.drop(Why::Regular);
        self.open.extend(next.map(|next| (Why::Regular, now + ms(next), 1)));
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Plays the steps on both; they must agree on every answer.
fn play(steps: Vec<Step>) {
    let mut queue: Queue<u8, Bits> = Queue::new(BACKOFF);
    let mut model: BTreeMap<u8, Wishes> = (0..4).map(|key| (key, Wishes::default())).collect();
    let mut now = Instant::now();
    for step in steps {
        match step {
            Step::Wait(time) => now += ms(time),
            Step::Pop => pop(&mut queue, &mut model, now),
            Step::Event { key, bit, afresh } => {
                let wishes = model.get_mut(&key).unwrap();
                wishes.open.push((Why::Event, now, 1 << bit));
                if afresh {
                    queue.add_afresh(&key, now, Bits(1 << bit));
                    wishes.drop(Why::Failure);
                    wishes.failures = 0;
                    wishes.forgiven = wishes.running;
                } else {
                    queue.add(key, now, Bits(1 << bit));
                }
            }
            Step::Succeed { key, next } => {
                let wishes = model.get_mut(&key).unwrap();
                if wishes.running {
                    queue.succeeded(&key, next.map(|next| (now + ms(next), Bits(1))));
                    wishes.running = false;
                    wishes.regular(now, next);
                    if !wishes.open.iter().any(|(why, ..)| *why == Why::Failure) {
                        wishes.failures = 0;
                    }
                }
            }
            Step::Fail { key, jitter, next } => {
                let wishes = model.get_mut(&key).unwrap();
                if wishes.running {
                    fail(&mut queue, wishes, (key, now, jitter), next);
                }
            }
            Step::Forget { key } => {
                queue.forget(&key);
                let wishes = model.get_mut(&key).unwrap();
                wishes.open.clear();
                if !wishes.running {
                    wishes.failures = 0;
                }
            }
        }
        let waiting = model.values().filter(|wishes| !wishes.running);
        assert_eq!(queue.next_due(), waiting.filter_map(Wishes::due).min());
    }
}

fn fail(queue: &mut Queue<u8, Bits>, wishes: &mut Wishes, (key, now, jitter): (u8, Instant, f64), next: Option<u64>) {
    let pause = queue.failed(&key, now, jitter, Bits(2), next.map(|next| (now + ms(next), Bits(1))));
    wishes.running = false;
    wishes.failures = if wishes.forgiven { 1 } else { wishes.failures + 1 };
    let least = BACKOFF.base * 2_u32.pow(wishes.failures.min(9) - 1);
    let least = least.min(BACKOFF.cap);
    assert!(pause >= least && pause <= least.mul_f64(1.25), "{pause:?} {least:?}");
    wishes.regular(now, next);
    wishes.drop(Why::Failure);
    wishes.open.push((Why::Failure, now + pause, 2));
}

fn pop(queue: &mut Queue<u8, Bits>, model: &mut BTreeMap<u8, Wishes>, now: Instant) {
    let waiting = model.iter().filter(|(_, wishes)| !wishes.running);
    let due = waiting.filter_map(|(key, wishes)| Some((wishes.due().filter(|due| *due <= now)?, *key)));
    let expected = due.min();
    let Some((key, bits)) = queue.pop(now) else {
        return assert_eq!(expected, None);
    };
    assert_eq!(Some(key), expected.map(|(_, key)| key));
    let wishes = model.get_mut(&key).unwrap();
    let (asked, later): (Vec<_>, Vec<_>) = wishes.open.drain(..).partition(|(_, at, _)| *at <= now);
    assert_eq!(bits, Bits(asked.iter().fold(0, |all, (.., bits)| all | bits)));
    wishes.open = later;
    wishes.running = true;
    wishes.forgiven = false;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_queue_does_what_its_words_say(steps in vec(step(), 1..60)) {
        play(steps);
    }
}

#[test]
fn a_hundred_events_are_one_turn() {
    let now = Instant::now();
    let mut queue = Queue::new(BACKOFF);
    for after in 0..100 {
        queue.add("a", now + ms(after), Bits(1));
    }
    assert_eq!(queue.pop(now), Some(("a", Bits(1))));
    assert_eq!(queue.pop(now + ms(1000)), None);
    queue.succeeded(&"a", None);
    assert!(queue.entries.is_empty(), "nothing is left of a key that nobody needs");
}

#[test]
fn an_event_does_not_bring_forward_what_is_asked_for_later() {
    let now = Instant::now();
    let mut queue = Queue::new(BACKOFF);
    queue.add("a", now, Bits(1));
    queue.pop(now).unwrap();
    queue.succeeded(&"a", Some((now + ms(1000), Bits(128))));
    queue.add("a", now + ms(10), Bits(4));
    assert_eq!(queue.pop(now + ms(10)), Some(("a", Bits(4))));
    queue.succeeded(&"a", Some((now + ms(1000), Bits(128))));
    assert_eq!(queue.pop(now + ms(1000)), Some(("a", Bits(128))));
}

#[test]
fn what_failed_is_tried_again_although_something_else_succeeded_meanwhile() {
    let now = Instant::now();
    let mut queue = Queue::new(BACKOFF);
    queue.add("a", now, Bits(1));
    queue.pop(now).unwrap();
    queue.failed(&"a", now, 0.0, Bits(8), None);
    queue.add("a", now, Bits(4));
    assert_eq!(queue.pop(now), Some(("a", Bits(4))));
    queue.succeeded(&"a", None);
    assert_eq!(queue.pop(now + BACKOFF.base), Some(("a", Bits(8))));
}

#[test]
fn what_comes_while_a_key_runs_makes_it_due_again_afterwards() {
    let now = Instant::now();
    let mut queue = Queue::new(BACKOFF);
    queue.add("a", now, Bits(1));
    queue.pop(now).unwrap();
    queue.add("a", now, Bits(4));
    assert_eq!((queue.pop(now), queue.next_due()), (None, None));
    queue.succeeded(&"a", Some((now + ms(500), Bits(0))));
    assert_eq!(queue.pop(now), Some(("a", Bits(4))));
}

#[test]
fn pauses_double_up_to_the_cap_and_start_anew_after_a_success_or_something_new() {
    let now = Instant::now();
    let mut queue = Queue::new(BACKOFF);
    let fail = |queue: &mut Queue<_, _>| {
        queue.pop(now + ms(60_000)).unwrap();
        queue.failed(&"a", now, 0.0, Bits(0), None).as_secs()
    };
    queue.add("a", now, Bits(0));
    let pauses: Vec<_> = (0..6).map(|_| fail(&mut queue)).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 8, 8]);
    queue.add_afresh(&"a", now, Bits(0));
    assert_eq!(fail(&mut queue), 1);
    assert_eq!(fail(&mut queue), 2);
    queue.pop(now + ms(60_000)).unwrap();
    queue.succeeded(&"a", Some((now, Bits(0))));
    assert_eq!(fail(&mut queue), 1);
}

#[test]
fn something_new_that_comes_while_a_key_runs_shortens_the_pause_after_its_failure() {
    let now = Instant::now();
    let mut queue = Queue::new(BACKOFF);
    queue.add("a", now, Bits(0));
    for _ in 0..3 {
        queue.pop(now + ms(60_000)).unwrap();
        queue.failed(&"a", now, 0.0, Bits(0), None);
    }
    queue.pop(now + ms(60_000)).unwrap();
    queue.add_afresh(&"a", now, Bits(0));
    assert_eq!(queue.failed(&"a", now, 0.0, Bits(0), None), BACKOFF.base);
}

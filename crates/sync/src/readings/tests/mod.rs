//! The readings over a source that answers when the test says so, on a clock that the test winds.

mod fake;
mod hints;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fake::Fake;
use futures::{FutureExt, future::join_all};
use multinic_cloud::ReadRequest;
use multinic_model::{ClusterId, SubnetSelector, VmSelector};
use tokio::{task::yield_now, time::Instant};

use super::{Freshness, PlaceReading, ReadingId, Readings, ReadingsPace, Since};
use crate::Place;

const MINUTE: Duration = Duration::from_mins(1);

fn readings() -> (Arc<Fake>, Arc<Readings<Fake>>) {
    let fake = Arc::new(Fake::default());
    (
        Arc::clone(&fake),
        Arc::new(Readings::new(fake, ReadingsPace::default())),
    )
}

fn place(provider: &str, project: u128) -> Place {
    Place {
        provider: provider.parse().unwrap(),
        project: format!("{project:032x}").parse().unwrap(),
    }
}

fn cluster(number: usize) -> ClusterId {
    format!("cluster-{number}").parse().unwrap()
}

fn request(vm: &str) -> ReadRequest {
    ReadRequest {
        subnets: BTreeSet::from([SubnetSelector::Name("net".to_owned())]),
        vms: BTreeSet::from([VmSelector::new(vm).unwrap()]),
    }
}

fn wish(place: &Place, vm: &str) -> BTreeMap<Place, ReadRequest> {
    BTreeMap::from([(place.clone(), request(vm))])
}

/// Anything that begins from now on.
fn from_now() -> Freshness {
    Freshness {
        since: Since::whole(Instant::now()),
        newer_than: None,
    }
}

/// Anything of the last minute, but not this one.
fn after(reading: &PlaceReading) -> Freshness {
    Freshness {
        since: Since::whole(Instant::now() - MINUTE),
        newer_than: Some(reading.id),
    }
}

/// Lets every task go as far as it comes without the clock.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_who_asks_while_a_reading_is_under_way_shares_it() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    for number in 0..10 {
        readings.want(&cluster(number), wish(&home, &format!("vm-{number}")));
    }
    let clusters: Vec<_> = (0..10).map(cluster).collect();
    let asked = clusters
        .iter()
        .map(|cluster| readings.reading(cluster, &home, from_now()));
    let answers = join_all(asked).await;
    assert_eq!((fake.reads(), fake.accounts()), (1, 1));
    assert!(answers.iter().all(|answer| Arc::ptr_eq(answer, &answers[0])));
    let all: BTreeSet<_> = (0..10).map(|n| VmSelector::new(&format!("vm-{n}")).unwrap()).collect();
    assert_eq!(fake.last_request().vms, all);
}

#[tokio::test(start_paused = true)]
async fn a_recent_reading_serves_who_has_not_planned_from_it() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    readings.want(&cluster(0), wish(&home, "vm"));
    readings.want(&cluster(1), wish(&home, "vm"));
    let first = readings.reading(&cluster(0), &home, from_now()).await;
    tokio::time::advance(MINUTE / 2).await;
    let recent = Freshness {
        since: Since::whole(Instant::now() - MINUTE),
        newer_than: None,
    };
    let shared = readings.reading(&cluster(1), &home, recent).await;
    assert!(Arc::ptr_eq(&first, &shared));
    let next = readings.reading(&cluster(0), &home, after(&first)).await;
    assert!(next.id > first.id && next.began > first.began);
    assert_eq!(fake.reads(), 2);
    let stale = readings.reading(&cluster(1), &home, from_now()).await;
    assert!(Arc::ptr_eq(&next, &stale), "it began at this very moment");
    tokio::time::advance(MINUTE).await;
    let fresh = readings.reading(&cluster(1), &home, from_now()).await;
    assert!(fresh.id > next.id);
}

#[tokio::test(start_paused = true)]
async fn an_inventory_is_dropped_once_it_is_too_old_to_serve_anybody() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    readings.want(&cluster(0), wish(&home, "vm"));
    let first = readings.reading(&cluster(0), &home, from_now()).await;
    let inventory = Arc::downgrade(first.outcome.as_ref().unwrap());
    drop(first);
    tokio::time::advance(MINUTE / 2).await;
    let second = readings.reading(&cluster(0), &home, from_now()).await;
    assert!(inventory.upgrade().is_none(), "the next one took its place");
    let inventory = Arc::downgrade(second.outcome.as_ref().unwrap());
    drop(second);
    tokio::time::advance(MINUTE * 3 / 4).await;
    settle().await;
    assert!(
        inventory.upgrade().is_some(),
        "the end of the first one's life is not the second one's"
    );
    tokio::time::advance(MINUTE / 4).await;
    settle().await;
    assert!(inventory.upgrade().is_none());
    readings.reading(&cluster(0), &home, from_now()).await;
    assert_eq!(fake.reads(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_began_too_early_is_followed_by_another() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    let gate = fake.hang("a");
    readings.want(&cluster(0), wish(&home, "vm"));
    let early = tokio::spawn({
        let (readings, home) = (Arc::clone(&readings), home.clone());
        async move { readings.reading(&cluster(0), &home, from_now()).await }
    });
    settle().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let moment = Instant::now();
    let late = tokio::spawn({
        let (readings, home) = (Arc::clone(&readings), home.clone());
        async move { readings.reading(&cluster(0), &home, from_now()).await }
    });
    settle().await;
    assert_eq!(fake.reads(), 1, "one at a time");
    gate.add_permits(2);
    let (early, late) = (early.await.unwrap(), late.await.unwrap());
    assert!(early.began < moment && late.began >= moment && early.id < late.id);
    assert_eq!(fake.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_selector_is_answered_by_a_reading_that_was_asked_for_it() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    readings.want(&cluster(0), wish(&home, "old"));
    let anything = Freshness {
        since: Since::whole(Instant::now()),
        newer_than: None,
    };
    let first = readings.reading(&cluster(0), &home, anything).await;
    readings.want(&cluster(0), wish(&home, "new"));
    let second = readings.reading(&cluster(0), &home, anything).await;
    assert!(second.id > first.id);
    assert_eq!(fake.last_request(), request("new"));
    let gate = fake.hang("a");
    readings.want(&cluster(1), wish(&home, "one"));
    let one = Box::pin(async { readings.reading(&cluster(1), &home, anything).await }).shared();
    assert!(one.clone().now_or_never().is_none());
    settle().await;
    readings.want(&cluster(2), wish(&home, "two"));
    let two = Box::pin(async { readings.reading(&cluster(2), &home, anything).await }).shared();
    assert!(two.clone().now_or_never().is_none());
    gate.add_permits(2);
    let (one, two) = futures::join!(one, two);
    assert!(one.id < two.id, "the reading under way does not know of the later wish");
    assert_eq!(fake.reads(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_failed_place_answers_at_once_until_its_pause_is_over_and_the_pause_grows() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    fake.breaks("a", true);
    readings.want(&cluster(0), wish(&home, "vm"));
    let mut pause = Duration::from_secs(1);
    for failures in 1..=4 {
        let failed = readings.reading(&cluster(0), &home, from_now()).await;
        assert_eq!(failed.outcome.as_ref().unwrap_err().category(), "not_found");
        assert_eq!(
            (fake.reads(), fake.accounts()),
            (failures, failures),
            "nor is the account kept"
        );
        let wait = failed.retry_at.unwrap() - Instant::now();
        assert!(wait >= pause && wait <= pause.mul_f64(1.5), "{wait:?}");
        readings.want(&cluster(1), wish(&home, "other"));
        let again = readings
            .reading(&cluster(1), &home, after(&failed))
            .now_or_never()
            .unwrap();
        assert!(Arc::ptr_eq(&failed, &again));
        tokio::time::advance(wait).await;
        pause *= 2;
    }
    fake.breaks("a", false);
    let healed = readings.reading(&cluster(0), &home, from_now()).await;
    assert!(healed.outcome.is_ok() && healed.retry_at.is_none());
    fake.breaks("a", true);
    tokio::time::advance(MINUTE).await;
    let failed = readings.reading(&cluster(0), &home, from_now()).await;
    assert!(
        failed.retry_at.unwrap() - Instant::now() <= Duration::from_millis(1500),
        "it counts from one again"
    );
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_cancels_nothing() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    let gate = fake.hang("a");
    readings.want(&cluster(0), wish(&home, "vm"));
    let asked = Instant::now();
    let impatient = cluster(0);
    let waiting = readings.reading(&impatient, &home, from_now());
    assert!(tokio::time::timeout(Duration::from_secs(5), waiting).await.is_err());
    gate.add_permits(1);
    settle().await;
    let freshness = Freshness {
        since: Since::whole(asked),
        newer_than: None,
    };
    let reading = readings.reading(&cluster(0), &home, freshness).now_or_never().unwrap();
    assert!(reading.outcome.is_ok());
    assert_eq!(fake.reads(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_places_of_one_provider_ask_for_its_account_once_and_take_turns() {
    let (fake, readings) = readings();
    let gate = fake.hang("a");
    let places: Vec<_> = (0..20).map(|project| place("a", project)).collect();
    let wishes = places.iter().map(|place| (place.clone(), request("vm"))).collect();
    readings.want(&cluster(0), wishes);
    gate.add_permits(20);
    let home = cluster(0);
    join_all(places.iter().map(|place| readings.reading(&home, place, from_now()))).await;
    assert_eq!((fake.reads(), fake.accounts()), (20, 1));
    assert!(fake.seen.lock().unwrap().most_at_once <= 16);
    tokio::time::advance(MINUTE).await;
    gate.add_permits(1);
    readings.reading(&home, &places[0], from_now()).await;
    assert_eq!(fake.accounts(), 2, "an account is kept for a short while only");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_delays_nobody_else() {
    let (fake, readings) = readings();
    fake.hang("slow");
    let hanging: BTreeMap<_, _> = (0..40).map(|project| (place("slow", project), request("vm"))).collect();
    readings.want(&cluster(0), hanging.clone());
    for place in hanging.keys() {
        assert!(
            readings
                .reading(&cluster(0), place, from_now())
                .now_or_never()
                .is_none()
        );
    }
    settle().await;
    assert_eq!(fake.reads(), 16);
    let good = place("good", 1);
    readings.want(&cluster(1), wish(&good, "vm"));
    let before = Instant::now();
    assert!(readings.reading(&cluster(1), &good, from_now()).await.outcome.is_ok());
    assert_eq!(Instant::now(), before, "no time has passed");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_any_more_ends() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    fake.hang("a");
    readings.want(&cluster(0), wish(&home, "vm"));
    readings.want(&cluster(1), wish(&home, "vm"));
    let waiting = tokio::spawn({
        let (readings, home) = (Arc::clone(&readings), home.clone());
        async move { readings.reading(&cluster(0), &home, from_now()).await }
    });
    settle().await;
    readings.forget(&cluster(1));
    settle().await;
    assert!(
        !waiting.is_finished() && fake.seen.lock().unwrap().at_once == 1,
        "somebody wants it still"
    );
    readings.forget(&cluster(0));
    let given_up = waiting.await.unwrap();
    assert_eq!(given_up.outcome.as_ref().unwrap_err().category(), "abandoned");
    settle().await;
    assert_eq!(fake.seen.lock().unwrap().at_once, 0, "and the reading ended");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_readings_ends_them() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    fake.hang("a");
    readings.want(&cluster(0), wish(&home, "vm"));
    assert!(
        readings
            .reading(&cluster(0), &home, from_now())
            .now_or_never()
            .is_none()
    );
    settle().await;
    assert_eq!(fake.seen.lock().unwrap().at_once, 1);
    drop(readings);
    settle().await;
    assert_eq!(fake.seen.lock().unwrap().at_once, 0);
    assert_eq!(Arc::strong_count(&fake), 1, "nothing holds the source any more");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_dropped_and_wanted_again_begins_anew() {
    let (fake, readings) = readings();
    let home = place("a", 1);
    fake.breaks("a", true);
    readings.want(&cluster(0), wish(&home, "vm"));
    let failed = readings.reading(&cluster(0), &home, from_now()).await;
    readings.forget(&cluster(0));
    fake.breaks("a", false);
    readings.want(&cluster(0), wish(&home, "vm"));
    let anew = readings.reading(&cluster(0), &home, from_now()).await;
    assert!(anew.outcome.is_ok() && anew.id > failed.id);
}

#[tokio::test]
async fn a_place_that_the_cluster_does_not_want_is_no_wait() {
    let (_, readings) = readings();
    let reading = readings.reading(&cluster(0), &place("a", 1), from_now()).await;
    assert_eq!(reading.outcome.as_ref().unwrap_err().category(), "abandoned");
    assert!(reading.id > ReadingId::default());
}

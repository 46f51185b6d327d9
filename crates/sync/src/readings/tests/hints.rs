//! Hints: what they cause to be read, when, and what stays of them.

use std::{collections::BTreeMap, net::IpAddr};

use multinic_cloud::Part;
use multinic_model::{
    InstanceId, MacAddress, Mtu, NetworkId, PortId,
    inventory::{FixedIp, Inventory, Port, PortStatus, Server, Subnet, SubnetLookup},
};
use multinic_notifications::{Hint, PortHint, ServerHint};
use multinic_planner::{Announced, News, Seen};

use super::*;

const HOLD: Duration = Duration::from_millis(20);
const HOLD_AHEAD: Duration = Duration::from_millis(150);

fn instance(n: u32) -> InstanceId {
    format!("00000000-0000-0000-0000-{n:012}").parse().unwrap()
}

fn port_id(n: u32) -> PortId {
    format!("00000000-0000-0000-0001-{n:012}").parse().unwrap()
}

fn mac(n: u32) -> MacAddress {
    format!("02:00:00:00:{:02x}:{:02x}", n / 256, n % 256).parse().unwrap()
}

fn address(n: u32) -> IpAddr {
    format!("10.0.0.{}", n % 256).parse().unwrap()
}

/// Servers `vm-1`, `vm-2`, … and ports, each in the server of the same row.
fn inventory(servers: &[u32], ports: &[(u32, u32)]) -> Inventory {
    let server = |n: &u32| {
        let server = Server {
            name: format!("vm-{n}"),
            metadata_node_name: None,
        };
        (instance(*n), server)
    };
    let port = |(port, of): &(u32, u32)| {
        let fixed_ips = vec![FixedIp {
            subnet_id: "subnet".parse().unwrap(),
            address: address(*port),
        }];
        let port_of = Port {
            mac_address: mac(*port),
            device_id: instance(*of),
            status: PortStatus::Active,
            fixed_ips,
            created_at: 0,
        };
        (port_id(*port), port_of)
    };
    let subnet = Subnet {
        id: "subnet".parse().unwrap(),
        network_id: "00000000-0000-0000-0002-000000000001".parse::<NetworkId>().unwrap(),
        cidr: "10.0.0.0/24".parse().unwrap(),
        mtu: Mtu::try_from(1500).unwrap(),
    };
    Inventory {
        project: place("a", 1).project,
        servers: servers.iter().map(server).collect(),
        subnets: BTreeMap::from([(SubnetSelector::Name("net".to_owned()), SubnetLookup::Found(subnet))]),
        ports: ports.iter().map(port).collect(),
        unreadable: Vec::new(),
    }
}

fn port(n: u32, device: Option<u32>) -> Hint {
    let device = device.map(instance);
    Hint::Port(PortHint {
        port: port_id(n),
        mac: Some(mac(n)),
        devices: device.iter().cloned().collect(),
        device,
        addresses: Some(BTreeSet::from([address(n)])),
        gone: false,
    })
}

/// What is only about to be done.
fn ahead(hint: Hint) -> Hint {
    match hint {
        Hint::Port(hint) => Hint::Port(PortHint {
            addresses: None,
            ..hint
        }),
        other => other,
    }
}

fn gone(hint: Hint) -> Hint {
    match hint {
        Hint::Port(hint) => Hint::Port(PortHint { gone: true, ..hint }),
        Hint::Server(hint) => Hint::Server(ServerHint { gone: true, ..hint }),
        other => other,
    }
}

fn server(n: u32) -> Hint {
    Hint::Server(ServerHint {
        instance: instance(n),
        project: None,
        name: Some(format!("vm-{n}")),
        server: true,
        ports: false,
        gone: false,
        detached: false,
    })
}

fn ports_of(servers: &[u32]) -> Part {
    Part {
        ports: servers.iter().copied().map(instance).collect(),
        ..Part::default()
    }
}

/// Two clusters: the first wants `vm-1` and `vm-2`, the second `vm-3`. Everything was read once.
struct Listening {
    fake: Arc<Fake>,
    readings: Arc<Readings<Fake>>,
    home: Place,
    first: Arc<PlaceReading>,
}

impl Listening {
    async fn begin() -> Self {
        let (fake, readings) = readings();
        let home = place("a", 1);
        fake.says(inventory(&[1, 2, 3], &[(1, 1), (2, 2), (3, 3)]));
        let mut wants = request("vm-1");
        wants.vms.extend(request("vm-2").vms);
        readings.want(&cluster(0), BTreeMap::from([(home.clone(), wants)]));
        readings.want(&cluster(1), wish(&home, "vm-3"));
        readings.announces(&home.provider);
        let first = readings.reading(&cluster(0), &home, from_now()).await;
        Self {
            fake,
            readings,
            home,
            first,
        }
    }

    fn hint(&self, hints: &[Hint]) -> BTreeMap<ClusterId, Instant> {
        self.readings.hint(&self.home.provider, hints).due
    }

    async fn look(&self) -> Arc<PlaceReading> {
        let freshness = Freshness {
            since: Since::hints(Instant::now()),
            newer_than: Some(self.first.id),
        };
        self.readings.reading(&cluster(0), &self.home, freshness).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_due_soon_for_the_clusters_that_it_concerns_and_reads_what_it_names() {
    let listening = Listening::begin().await;
    let due = listening.hint(&[port(9, Some(2))]);
    assert_eq!(due, BTreeMap::from([(cluster(0), Instant::now() + HOLD)]));
    tokio::time::advance(HOLD / 2).await;
    let more = listening.hint(&[port(8, Some(2)), port(3, None)]);
    assert_eq!(more[&cluster(0)], due[&cluster(0)], "others are not put off");
    assert_eq!(more[&cluster(1)], due[&cluster(0)], "and come along");
    assert!(listening.readings.has_news(&listening.home, listening.first.id));
    listening.fake.says(inventory(&[1, 2, 3], &[(1, 1), (2, 2), (9, 2)]));
    let reading = listening.look().await;
    assert_eq!(listening.fake.parts(), [ports_of(&[2, 3])]);
    assert!(reading.id > listening.first.id && reading.whole_began == listening.first.whole_began);
    let expected = News {
        seen: Seen::Part {
            servers: BTreeSet::new(),
            ports: BTreeSet::from([instance(2), instance(3)]),
        },
        announced: Announced {
            ports: BTreeSet::from([(instance(3), mac(3))]),
            ..Announced::default()
        },
    };
    assert_eq!(reading.news_since(Some(listening.first.id)), expected);
    assert_eq!(reading.news_since(None).seen, Seen::Everything);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_bothered_with_what_concerns_nobody() {
    let listening = Listening::begin().await;
    assert_eq!(
        listening.hint(&[port(9, Some(7)), port(8, None), server(9)]),
        BTreeMap::new()
    );
    assert!(!listening.readings.has_news(&listening.home, listening.first.id));
    assert_eq!((listening.fake.reads(), listening.fake.parts().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_changes_without_end_is_looked_at_three_times_a_second() {
    let listening = Listening::begin().await;
    let began = Instant::now();
    let mut moments = Vec::new();
    while began.elapsed() < Duration::from_secs(30) {
        let due = listening.hint(&[port(1, Some(1))]);
        let due = due[&cluster(0)];
        tokio::time::sleep_until(due).await;
        listening.look().await;
        moments.push(began.elapsed().as_millis());
    }
    let gaps: Vec<_> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (first, last) = (&gaps[..10], &gaps[gaps.len() - 10..]);
    assert_eq!(
        (first, last),
        (&[250; 10][..], &[300; 10][..]),
        "the first few as soon as may be"
    );
    tokio::time::advance(Duration::from_secs(11)).await;
    let due = listening.hint(&[port(1, Some(1))]);
    assert_eq!(
        due[&cluster(0)],
        Instant::now() + HOLD,
        "after a quiet time it is quick again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_seen_yet_is_looked_at_again_and_then_forgotten() {
    let listening = Listening::begin().await;
    listening.hint(&[gone(port(1, Some(1)))]);
    let mut looks = Vec::new();
    let mut reading = listening.look().await;
    while let Some(again) = reading.look_again_at {
        looks.push((again - Instant::now()).as_millis());
        assert!(
            !listening.readings.has_news(&listening.home, reading.id),
            "not before its time"
        );
        tokio::time::sleep_until(again).await;
        assert!(listening.readings.has_news(&listening.home, reading.id));
        reading = listening.look().await;
    }
    assert_eq!(looks, [80, 120, 200, 600, 2000]);
    assert_eq!(listening.fake.parts(), vec![ports_of(&[1]); 6]);
    tokio::time::advance(MINUTE).await;
    assert!(!listening.readings.has_news(&listening.home, reading.id));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_about_to_come_is_looked_for_and_one_that_is_about_to_move_has_not_left() {
    let listening = Listening::begin().await;
    let due = listening.hint(&[ahead(port(9, Some(1))), ahead(port(2, Some(1)))]);
    assert_eq!(
        due[&cluster(0)],
        Instant::now() + HOLD_AHEAD,
        "no sooner than it may be seen"
    );
    let early = listening.look().await;
    assert!(early.look_again_at.is_some());
    assert_eq!(
        early.news_since(Some(listening.first.id)).announced,
        Announced::default()
    );
    tokio::time::sleep_until(early.look_again_at.unwrap()).await;
    listening
        .fake
        .says(inventory(&[1, 2, 3], &[(1, 1), (2, 1), (3, 3), (9, 1)]));
    let late = listening.look().await;
    assert_eq!(late.look_again_at, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_done_does_not_wait_for_what_is_about_to_be_done() {
    let listening = Listening::begin().await;
    listening.hint(&[ahead(port(9, Some(1)))]);
    tokio::time::advance(HOLD).await;
    for soon in [port(2, None), port(9, Some(1)), server(1)] {
        let due = listening.hint(&[soon]);
        assert_eq!(due[&cluster(0)], Instant::now() + HOLD);
    }
    let mixed = Listening::begin().await.hint(&[ahead(port(9, Some(1))), port(2, None)]);
    assert_eq!(mixed[&cluster(0)], Instant::now() + HOLD);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_shows_late_is_still_announced() {
    let listening = Listening::begin().await;
    listening.hint(&[gone(port(1, Some(1)))]);
    let early = listening.look().await;
    tokio::time::sleep_until(early.look_again_at.unwrap()).await;
    listening.fake.says(inventory(&[1, 2, 3], &[(2, 2), (3, 3)]));
    let late = listening.look().await;
    assert_eq!(late.look_again_at, None);
    let announced = late.news_since(Some(early.id)).announced;
    assert_eq!(announced.ports, BTreeSet::from([(instance(1), mac(1))]));
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_comes_during_a_reading_is_followed_by_another() {
    let listening = Listening::begin().await;
    let gate = listening.fake.hang("a");
    listening
        .fake
        .says(inventory(&[1, 2, 3], &[(1, 1), (2, 2), (3, 3), (9, 1)]));
    listening.hint(&[port(9, Some(1))]);
    let look = listening.look();
    tokio::pin!(look);
    assert!(look.as_mut().now_or_never().is_none());
    settle().await;
    tokio::time::advance(HOLD).await;
    // Nobody knows what the reading under way will show; this may be about something new.
    let due = listening.hint(&[port(8, Some(7))]);
    assert_eq!(due.len(), 2);
    gate.add_permits(1);
    let first = look.await;
    assert!(listening.readings.has_news(&listening.home, first.id));
    let second = listening.look().await;
    assert!(second.id > first.id);
    assert_eq!(
        listening.fake.parts(),
        [ports_of(&[1])],
        "it was about nobody, and cost nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_part_is_followed_by_a_whole_reading_that_still_knows_what_was_announced() {
    let listening = Listening::begin().await;
    listening.hint(&[gone(port(1, Some(1)))]);
    listening.fake.breaks("a", true);
    let failed = listening.look().await;
    assert!(failed.outcome.is_err());
    assert_eq!(
        listening.hint(&[port(2, None)]),
        BTreeMap::new(),
        "it is tried again anyway, and not sooner"
    );
    listening.fake.breaks("a", false);
    listening.fake.says(inventory(&[1, 2, 3], &[(3, 3)]));
    tokio::time::sleep_until(failed.retry_at.unwrap()).await;
    let healed = listening.look().await;
    assert_eq!((listening.fake.reads(), listening.fake.parts().len()), (2, 1));
    let news = healed.news_since(Some(listening.first.id));
    assert_eq!(news.seen, Seen::Everything);
    assert_eq!(news.announced.ports, BTreeSet::from([(instance(1), mac(1))]));
}

#[tokio::test(start_paused = true)]
async fn who_missed_a_part_learns_what_was_announced_from_the_next_whole_reading() {
    let listening = Listening::begin().await;
    listening.hint(&[gone(server(1))]);
    listening.fake.says(inventory(&[2, 3], &[(2, 2), (3, 3)]));
    let part = listening.look().await;
    tokio::time::advance(MINUTE).await;
    let whole = listening
        .readings
        .reading(&cluster(0), &listening.home, from_now())
        .await;
    assert!(whole.whole_began > part.whole_began);
    let deleted = |reading: &PlaceReading, since| reading.news_since(since).announced.deleted;
    assert_eq!(deleted(&whole, Some(listening.first.id)), BTreeSet::from([instance(1)]));
    assert_eq!(deleted(&whole, Some(part.id)), BTreeSet::new(), "once is enough");
    tokio::time::advance(MINUTE).await;
    let next = listening
        .readings
        .reading(&cluster(0), &listening.home, from_now())
        .await;
    assert_eq!(
        deleted(&next, Some(listening.first.id)),
        BTreeSet::new(),
        "it does not stay for ever"
    );
}

#[tokio::test(start_paused = true)]
async fn who_wants_everything_gets_it_however_much_is_hinted_at() {
    let listening = Listening::begin().await;
    let gate = listening.fake.hang("a");
    listening.hint(&[port(9, Some(1))]);
    let (readings, home) = (Arc::clone(&listening.readings), listening.home.clone());
    assert!(listening.look().now_or_never().is_none());
    settle().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let asked = from_now();
    let whole = tokio::spawn(async move { readings.reading(&cluster(0), &home, asked).await });
    settle().await;
    listening.hint(&[port(8, Some(2))]);
    gate.add_permits(2);
    let whole = whole.await.unwrap();
    assert_eq!(whole.news_since(None).seen, Seen::Everything);
    assert_eq!(listening.fake.reads(), 2);
    assert!(
        !listening.readings.has_news(&listening.home, whole.id),
        "it has seen the second hint, too"
    );
}

#[tokio::test(start_paused = true)]
async fn too_many_things_at_once_are_read_as_a_whole() {
    let listening = Listening::begin().await;
    let hints: Vec<_> = (100..5200).map(|n| port(n, Some(1))).collect();
    listening.hint(&hints);
    let reading = listening.look().await;
    assert_eq!((listening.fake.reads(), listening.fake.parts().len()), (2, 0));
    assert_eq!(reading.news_since(Some(listening.first.id)).seen, Seen::Everything);
}

#[tokio::test(start_paused = true)]
async fn inventories_are_kept_for_a_provider_that_announces() {
    let listening = Listening::begin().await;
    tokio::time::advance(MINUTE * 60).await;
    settle().await;
    listening.hint(&[port(9, Some(1))]);
    listening.look().await;
    assert_eq!((listening.fake.reads(), listening.fake.parts().len()), (1, 1));
}

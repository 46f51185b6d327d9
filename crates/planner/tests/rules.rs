#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! The rules that never bend, over thousands of random histories.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{Earlier, EarlierNode, Interface, InterfaceId, NodeName};
use multinic_planner::{Announced, Change, Claim, News, Plan, PlannedNode, Policy, Reason, RemovalLedger, Scope, Seen};
use proptest::prelude::*;
use world::{
    Event, Nodes, World, address, after, held, held_by_instance, history, instance, mac, mtu, oracle, policy,
    server_name,
};

/// Two thousand histories of up to 13 plans each; `PROPTEST_CASES` asks for more.
fn many() -> ProptestConfig {
    let default = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if asked { default.cases } else { 2_000 },
        failure_persistence: None,
        ..default
    }
}

/// Lives through a history and looks at every plan on the way, before it is delivered.
fn live(events: &[Event], look: impl Fn(&World, &Plan)) -> World {
    let mut world = World::new();
    for event in events {
        world.happens(*event);
        let plan = world.plan(&policy(Scope::WholeTruth));
        look(&world, &plan);
        world.deliver(&plan);
    }
    world
}

/// What was delivered is not sent again. Only a node that the plan holds back until another has left follows later, in
/// so many steps as there are nodes in the row.
fn sends_nothing_again(events: &[Event]) {
    live(events, |world, _| {
        for scope in [Scope::WholeTruth, Scope::Additive] {
            let mut again = world.clone();
            again.ledger = RemovalLedger::default();
            let mut plan = again.plan(&policy(scope));
            for _ in 0..=again.servers.len() {
                let held = plan
                    .findings
                    .iter()
                    .filter(|finding| finding.reason == Reason::NodeHeld);
                let held: BTreeSet<_> = held.map(|finding| finding.subject.clone()).collect();
                again.nodes = after(&again.nodes, &plan);
                plan = again.plan(&policy(scope));
                for node in plan.deliveries() {
                    assert!(held.contains(node.node_name.as_str()), "{:?}", plan.nodes);
                }
            }
            assert!(plan.nodes.values().all(|node| node.change == Change::Unchanged));
        }
    });
}

/// Found once in some thousand random histories: a server takes a name whose holder is let go of in the same plan. The
/// name is withdrawn first and given in the next plan.
#[test]
fn a_name_that_is_let_go_of_is_given_once() {
    sends_nothing_again(&[
        (7, 7, 43, 0),
        (23, 0, 0, 0),
        (11, 97, 0, 0),
        (3, 16, 0, 0),
        (23, 0, 0, 0),
        (20, 97, 0, 0),
        (16, 192, 65, 0),
    ]);
}

/// The same with a management API that cannot be read back.
fn live_unread(events: &[Event]) -> World {
    let mut world = World::new();
    for event in events {
        world.happens(*event);
        let plan = world.plan_with(&policy(Scope::WholeTruth), &Earlier::NotOffered, &world.ledger, false);
        world.deliver(&plan);
    }
    world
}

/// Everything can be read, as often as it takes. Only whether `earlier` can be read back matters of it.
fn settle(world: &mut World, earlier: &Earlier) {
    let policy = Policy {
        allow_mass_removal: true,
        ..policy(Scope::WholeTruth)
    };
    world.heal();
    for _ in 0..8 {
        let earlier = match earlier {
            Earlier::Known(_) | Earlier::Partly { .. } => Earlier::Known(world.nodes.clone()),
            Earlier::NotOffered => Earlier::NotOffered,
        };
        let plan = world.plan_with(&policy, &earlier, &world.ledger, false);
        world.deliver(&plan);
    }
}

/// Nothing but the reading speaks: no spec changed, no config is deleted.
fn only_readings(world: &World) -> World {
    let mut quiet = world.clone();
    quiet.configs.retain(|_, config| !config.departed);
    for config in quiet.configs.values_mut() {
        config.changed = false;
    }
    quiet
}

/// Every server and every port, whoever has it.
fn everything_is_gone() -> Announced {
    let servers: BTreeSet<_> = (0..8).map(instance).collect();
    let ports = servers
        .iter()
        .flat_map(|server| (0..32).map(|port| (server.clone(), mac(port))));
    Announced {
        ports: ports.collect(),
        deleted: servers.clone(),
        detached: servers,
    }
}

fn duplicates(nodes: &Nodes) -> bool {
    let macs: Vec<_> = nodes
        .values()
        .flat_map(|node| node.interfaces.iter().map(|held| held.mac_address))
        .collect();
    macs.iter().collect::<BTreeSet<_>>().len() < macs.len()
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn the_order_of_the_input_never_matters(events in history()) {
        live(&events, |world, plan| {
            let earlier = Earlier::Known(world.nodes.clone());
            let reversed = world.plan_with(&policy(Scope::WholeTruth), &earlier, &world.ledger, true);
            assert_eq!(&reversed, plan);
            assert_eq!(format!("{reversed:?}"), format!("{plan:?}"));
        });
    }

    #[test]
    fn ids_never_move_and_are_never_doubled(events in history()) {
        live(&events, |world, plan| {
            for node in plan.nodes.values() {
                let ids: Vec<_> = node.config.interfaces.iter().map(|held| held.id).collect();
                assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
                let macs: BTreeSet<_> = node.config.interfaces.iter().map(|held| held.mac_address).collect();
                assert_eq!(macs.len(), ids.len());
            }
            let before = held_by_instance(&world.nodes);
            for (held, ids) in held_by_instance(&after(&world.nodes, plan)) {
                let known = before.get(&held).filter(|known| known.len() == 1);
                assert!(known.is_none_or(|known| ids.is_subset(known)) || collides(world, &held.0), "{held:?}");
            }
        });
    }

    #[test]
    fn a_mac_address_is_in_one_node_only(events in history()) {
        live(&events, |world, plan| {
            let nodes = after(&world.nodes, plan);
            assert!(duplicates(&world.nodes) || !duplicates(&nodes), "{nodes:?}");
        });
    }

    #[test]
    fn one_reading_alone_removes_nothing(events in history()) {
        live(&events, |world, _| {
            let mut quiet = only_readings(world);
            quiet.ledger = RemovalLedger::default();
            let plan = quiet.plan(&policy(Scope::WholeTruth));
            let nodes = held(&after(&world.nodes, &plan));
            for (interface, id) in held(&world.nodes) {
                assert_eq!(nodes.get(&interface), Some(&id), "{interface:?}");
            }
        });
    }

    #[test]
    fn what_nobody_looked_at_again_confirms_nothing(events in history(), looked_at in 0_u8..7) {
        let looked_at: BTreeSet<_> = (0..looked_at).map(instance).collect();
        live(&events, |world, _| {
            let mut quiet = only_readings(world);
            quiet.ledger = RemovalLedger::default();
            let seen = Seen::Part { servers: looked_at.clone(), ports: looked_at.clone() };
            quiet.news = Some(News { seen, ..News::none() });
            let before = quiet.nodes.clone();
            for _ in 0..3 {
                let plan = quiet.plan(&policy(Scope::WholeTruth));
                quiet.deliver(&plan);
            }
            let now = held(&quiet.nodes);
            // A server that was looked at may have taken the name of one that is nobody's.
            let wants = |(vm, name): (&u8, &u8)| looked_at.contains(&instance(*vm)).then(|| server_name(*name));
            let wanted: BTreeSet<_> = world.servers.iter().filter_map(wants).collect();
            for (name, mac) in held(&before).keys().filter(|interface| !now.contains_key(interface)) {
                let owner = &before[name].instance_id;
                assert!(looked_at.contains(owner) || wanted.contains(name.as_str()), "{name} {mac}");
            }
        });
    }

    #[test]
    fn an_announcement_removes_nothing_that_the_reading_shows(events in history()) {
        live(&events, |world, _| {
            let mut quiet = only_readings(world);
            quiet.ledger = RemovalLedger::default();
            quiet.news = Some(News { announced: everything_is_gone(), ..News::default() });
            let plan = quiet.plan(&policy(Scope::WholeTruth));
            let now = held_by_instance(&after(&world.nodes, &plan));
            for vm in world.servers.keys() {
                for (shown, ..) in oracle::content(world, *vm) {
                    let interface = (instance(*vm), shown);
                    let kept = now.contains_key(&interface) || !held_by_instance(&world.nodes).contains_key(&interface);
                    assert!(kept, "{interface:?}");
                }
            }
        });
    }

    #[test]
    fn readings_alone_never_remove_most_of_a_cluster(events in history()) {
        live(&events, |world, _| {
            let plan = only_readings(world).plan(&policy(Scope::WholeTruth));
            let (before, now) = (held(&world.nodes), held(&after(&world.nodes, &plan)));
            let lost = before.keys().filter(|interface| !now.contains_key(interface)).count();
            assert!(lost <= 5 || lost * 2 <= before.len(), "{lost} of {}", before.len());
        });
    }

    #[test]
    fn without_a_read_back_one_reading_alone_removes_nothing(events in history(), last in history()) {
        let mut world = live_unread(&events);
        settle(&mut world, &Earlier::NotOffered);
        prop_assert_eq!(oracle::actual(&world), oracle::expected(&world));
        for event in last {
            let mut next = only_readings(&world);
            next.happens(event);
            let next = only_readings(&next);
            let plan = next.plan_with(&policy(Scope::WholeTruth), &Earlier::NotOffered, &world.ledger, false);
            let nodes = held(&after(&world.nodes, &plan));
            for (interface, _) in held(&world.nodes) {
                prop_assert!(nodes.contains_key(&interface), "{:?} {:?}", event, interface);
            }
        }
    }

    #[test]
    fn additive_plans_never_remove(events in history()) {
        live(&events, |world, _| {
            for ledger in [&world.ledger, &RemovalLedger::default()] {
                let earlier = Earlier::Known(world.nodes.clone());
                let plan = world.plan_with(&policy(Scope::Additive), &earlier, ledger, false);
                let nodes = held_by_instance(&after(&world.nodes, &plan));
                for (interface, ids) in held_by_instance(&world.nodes) {
                    assert!(nodes.get(&interface).is_some_and(|kept| !kept.is_disjoint(&ids)), "{interface:?}");
                }
            }
        });
    }

    #[test]
    fn a_failed_reading_changes_nothing_of_its_nodes(events in history(), failing in 0_u8..4, held in any::<bool>()) {
        live(&events, |world, _| {
            let mut failing_world = world.clone();
            if held {
                failing_world.held.insert(failing);
            } else {
                failing_world.failed.insert(failing);
            }
            let held = failing_world.held.contains(&failing);
            let Some(config) = failing_world.configs.get(&failing).filter(|config| !config.departed) else {
                return;
            };
            let plan = failing_world.plan(&policy(Scope::WholeTruth));
            let nodes = after(&world.nodes, &plan);
            for (name, node) in &world.nodes {
                let claimed = config.claims.iter().any(|claim| claim.instance_id == node.instance_id || claim.node_name == *name);
                let tied = !held && (config.vms.contains(name.as_str()) || config.vms.contains(node.instance_id.as_str()));
                // An empty node holds nothing; its name is free.
                if (claimed || tied) && !node.interfaces.is_empty() {
                    let now = &nodes[name];
                    assert_eq!(now.instance_id, node.instance_id);
                    assert!(keeps(node, now), "{name}: {node:?} {now:?}");
                    assert!(others_select(&failing_world, node) || now == node, "{name}: {node:?} {now:?}");
                }
            }
        });
    }

    /// To hold a config is to fail its reading, for everything that it has delivered.
    #[test]
    fn a_held_config_answers_for_all_that_it_has_delivered(events in history(), held in 0_u8..4) {
        live(&events, |world, _| {
            let mut world = world.clone();
            world.held = BTreeSet::from([held]);
            let Some(config) = world.configs.get(&held).filter(|config| !config.departed) else {
                return;
            };
            let plan = world.plan(&policy(Scope::WholeTruth));
            assert!(plan.claims[&world::key(held)].is_superset(&config.claims));
            assert!(plan.vms.keys().all(|(key, _)| *key != world::key(held)));
        });
    }

    #[test]
    fn a_node_that_cannot_be_understood_is_left_alone_with_all_that_is_its_servers(events in history(), nth in 0_usize..6) {
        live(&events, |world, _| {
            let holding = || world.nodes.iter().filter(|(_, node)| !node.interfaces.is_empty());
            let Some((name, node)) = holding().nth(nth) else {
                return;
            };
            let mut world = world.clone();
            world.odd_nodes = BTreeSet::from([name.clone()]);
            let plan = world.plan(&policy(Scope::WholeTruth));
            let own = |planned: &&PlannedNode| planned.config.instance_id == node.instance_id;
            assert!(!plan.nodes.contains_key(name));
            assert!(plan.nodes.values().filter(own).all(|planned| planned.change == Change::Unchanged || planned.change == Change::Withdraw), "{:?}", plan.nodes);
            assert!(plan.findings.iter().any(|finding| finding.reason == Reason::UnreadableNode && finding.subject == name.as_str()));
            let claim = Claim { instance_id: node.instance_id.clone(), node_name: name.clone() };
            let claimed = world.configs.values().any(|config| config.claims.contains(&claim));
            assert!(!claimed || plan.claims.values().any(|claims| claims.contains(&claim)), "{claim:?} is lost");
        });
    }

    #[test]
    fn the_same_input_again_sends_nothing(events in history()) {
        sends_nothing_again(&events);
    }

    #[test]
    fn a_node_is_the_union_of_what_each_config_says(events in history()) {
        let mut world = live(&events, |_, _| {});
        world.heal();
        world.configs.retain(|_, config| !config.departed);
        let nothing = Earlier::Known(Nodes::new());
        let say = |world: &World| macs(&world.plan_with(&policy(Scope::WholeTruth), &nothing, &RemovalLedger::default(), false));
        let mut union: BTreeMap<NodeName, BTreeSet<_>> = BTreeMap::new();
        for id in world.configs.keys() {
            let mut alone = world.clone();
            alone.configs.retain(|other, _| other == id);
            for (name, macs) in say(&alone) {
                union.entry(name).or_default().extend(macs);
            }
        }
        prop_assert_eq!(say(&world), union);
    }

    #[test]
    fn enough_agreeing_readings_end_in_the_exact_union(events in history()) {
        let mut world = live(&events, |_, _| {});
        let earlier = Earlier::Known(Nodes::new());
        settle(&mut world, &earlier);
        let plan = world.plan(&policy(Scope::WholeTruth));
        prop_assert_eq!(plan.deliveries().count(), 0);
        prop_assert!(!plan.awaits_confirmation());
        prop_assert_eq!(oracle::actual(&world), oracle::expected(&world));
    }

    #[test]
    fn who_gives_a_mac_address_up_is_sent_first(events in history()) {
        live(&events, |world, plan| {
            let order: Vec<_> = plan.deliveries().map(|config| config.node_name.clone()).collect();
            let nodes = after(&world.nodes, plan);
            let gives = gifts(&world.nodes, &nodes);
            for (giver, taker) in &gives {
                let place = |name: &NodeName| order.iter().position(|sent| sent == name).unwrap();
                assert!(place(giver) < place(taker) || leads(&gives, taker, giver), "{giver} {taker} {order:?}");
            }
        });
    }

    #[test]
    fn the_ledger_only_speaks_of_what_is_there(events in history()) {
        live(&events, |world, plan| {
            let text = format!("{:?}", plan.ledger);
            let counted = text.matches("Some(02:").count();
            assert!(counted <= held(&world.nodes).len(), "{text}");
        });
        let mut world = live(&events, |_, _| {});
        settle(&mut world, &Earlier::Known(Nodes::new()));
        prop_assert!(world.plan(&policy(Scope::WholeTruth)).ledger.is_empty());
    }

    #[test]
    fn without_a_read_back_ids_follow_the_age(events in history()) {
        live(&events, |world, _| {
            let plan = world.plan_with(&policy(Scope::WholeTruth), &Earlier::NotOffered, &RemovalLedger::default(), false);
            for node in plan.nodes.values() {
                let ids: Vec<_> = node.config.interfaces.iter().map(|held| held.id.get()).collect();
                assert!(ids.iter().copied().eq(1..=u32::try_from(ids.len()).unwrap()), "{ids:?}");
                let port = |held: &Interface| (world.ports[&held.mac_address.octets()[5]].created, held.mac_address);
                assert!(node.config.interfaces.windows(2).all(|pair| port(&pair[0]) < port(&pair[1])));
            }
        });
    }

    #[test]
    fn odd_earlier_data_is_survived(events in history(), odd in odd_nodes()) {
        let mut world = live(&events, |_, _| {});
        for scope in [Scope::Additive, Scope::WholeTruth] {
            let mut quiet = only_readings(&world);
            quiet.nodes = odd.clone();
            quiet.ledger = RemovalLedger::default();
            let plan = quiet.plan(&policy(scope));
            let nodes = after(&odd, &plan);
            for (name, mac) in held(&odd).into_keys() {
                prop_assert!(nodes[&name].interfaces.iter().any(|held| held.mac_address == mac));
            }
            for node in plan.nodes.values().filter(|node| node.change != Change::Unchanged) {
                let ids: BTreeSet<_> = node.config.interfaces.iter().map(|held| held.id).collect();
                prop_assert_eq!(ids.len(), node.config.interfaces.len());
            }
            quiet.nodes = nodes;
            prop_assert_eq!(quiet.plan(&policy(scope)).deliveries().count(), 0);
        }
        world.nodes = odd;
        for _ in 0..3 {
            let plan = world.plan(&policy(Scope::WholeTruth));
            world.deliver(&plan);
        }
    }
}

/// Every interface of `before` is in `now` under the same id.
fn keeps(before: &EarlierNode, now: &EarlierNode) -> bool {
    let kept = |held: &Interface| {
        now.interfaces
            .iter()
            .any(|now| now.id == held.id && now.mac_address == held.mac_address)
    };
    before.interfaces.iter().all(kept)
}

/// Whether a config that can be read selects the node's server.
fn others_select(world: &World, node: &EarlierNode) -> bool {
    let vm = (0..6).find(|vm| instance(*vm) == node.instance_id);
    let readable = world
        .configs
        .iter()
        .filter(|(id, config)| !world.failed.contains(id) && !world.held.contains(id) && !config.departed);
    let mut selecting = readable.filter(|(_, config)| {
        let name = vm.and_then(|vm| world.servers.get(&vm)).map(|name| server_name(*name));
        config.vms.contains(node.instance_id.as_str()) || name.is_some_and(|name| config.vms.contains(&name))
    });
    selecting.next().is_some()
}

/// Whether the instance is under several names with one id for two MAC addresses, so that one of them has to give way.
fn collides(world: &World, id: &multinic_model::InstanceId) -> bool {
    world
        .nodes
        .values()
        .filter(|node| node.instance_id == *id && !node.interfaces.is_empty())
        .count()
        > 1
}

fn macs(plan: &Plan) -> BTreeMap<NodeName, BTreeSet<multinic_model::MacAddress>> {
    let macs =
        |node: &multinic_planner::PlannedNode| node.config.interfaces.iter().map(|held| held.mac_address).collect();
    plan.nodes
        .iter()
        .map(|(name, node)| (name.clone(), macs(node)))
        .collect()
}

/// (giver, taker) for every MAC address that changes its node.
fn gifts(before: &Nodes, now: &Nodes) -> BTreeSet<(NodeName, NodeName)> {
    let (before, now) = (held(before), held(now));
    let lost = before.keys().filter(|held| !now.contains_key(held));
    let mut gifts = BTreeSet::new();
    for (giver, mac) in lost {
        let takers = now
            .keys()
            .filter(|(taker, taken)| taken == mac && !before.contains_key(&(taker.clone(), *mac)));
        gifts.extend(takers.map(|(taker, _)| (giver.clone(), taker.clone())));
    }
    gifts
}

/// Whether gifts lead from one node to the other.
fn leads(gifts: &BTreeSet<(NodeName, NodeName)>, from: &NodeName, to: &NodeName) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([from.clone()]), vec![from.clone()]);
    while let Some(giver) = open.pop() {
        for (_, taker) in gifts.iter().filter(|(from, _)| *from == giver) {
            if seen.insert(taker.clone()) {
                open.push(taker.clone());
            }
        }
    }
    seen.contains(to)
}

/// Nodes as no client of ours would make them: doubled ids, doubled MAC addresses, any order.
fn odd_nodes() -> impl Strategy<Value = Nodes> {
    let interface = (1_u32..4, 0_u8..16).prop_map(|(id, port)| Interface {
        id: InterfaceId::new(id).unwrap(),
        mac_address: mac(port),
        address: address(&world::PortState {
            vm: 0,
            subnet: port % 3,
            address: port + 1,
            status: multinic_model::inventory::PortStatus::Active,
            created: 0,
        }),
        mtu: mtu(port % 3),
    });
    let node = (0_u8..8, prop::collection::vec(interface, 0..6)).prop_map(|(vm, interfaces)| EarlierNode {
        instance_id: instance(vm),
        interfaces,
    });
    prop::collection::btree_map(
        (0_u8..6).prop_map(|name| server_name(name).parse().unwrap()),
        node,
        0..6,
    )
}

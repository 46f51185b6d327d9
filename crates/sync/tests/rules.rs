//! Random days of a cloud: whatever is attached, detached, renamed, deleted or broken, and however often a pass runs in
//! between, the rules hold after every pass, and two quiet passes bring exactly what the cloud says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;
mod story {
    pub mod oracle;
    pub mod sky;
}

use std::collections::{BTreeMap, BTreeSet};

use common::{CLUSTER, Cr};
use multinic_delivery::NodeResult;
use multinic_lab::{Fault, Service};
use multinic_model::ConfigKey;
use multinic_planner::Claim;
use multinic_sync::{ClusterReport, Config, Outcome, Report, once::Pruning};
use proptest::prelude::*;
use story::{
    oracle::{Delivered, Pass},
    sky::{SUBNETS, Sky, VMS},
};

/// One event.
#[derive(Clone, Debug)]
enum Event {
    Attach {
        vm: usize,
        subnet: usize,
        down: bool,
    },
    Move {
        port: usize,
        vm: usize,
    },
    Detach {
        port: usize,
    },
    DeletePort {
        port: usize,
    },
    DeleteVm {
        vm: usize,
    },
    Rename {
        vm: usize,
    },
    Status {
        port: usize,
        status: &'static str,
    },
    Pass {
        pruning: Pruning,
        configs: u8,
        /// Those of the configs that cannot be read as a selection.
        held: u8,
        trouble: Trouble,
    },
}

/// What goes wrong during a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Nothing,
    /// One of the listings fails for good.
    Down(Service),
    /// The first reading lacks a port.
    PortUnseen,
    /// The connection breaks once.
    Broken(Service),
    /// The POST arrives and its answer does not.
    AnswerLost,
    /// No POST arrives.
    NoPost,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let service = prop::sample::select(vec![
        Service::Contrabass,
        Service::Nova,
        Service::Neutron,
        Service::ManagementApi,
    ]);
    prop_oneof![
        6 => Just(Trouble::Nothing),
        1 => service.clone().prop_map(Trouble::Down),
        1 => service.prop_map(Trouble::Broken),
        1 => Just(Trouble::PortUnseen),
        1 => Just(Trouble::AnswerLost),
        1 => Just(Trouble::NoPost),
    ]
}

fn pass() -> impl Strategy<Value = Event> {
    let held = prop_oneof![3 => Just(0), 1 => 0..8_u8];
    (any::<bool>(), any::<bool>(), 0..8_u8, held, trouble()).prop_map(
        |(prune, allow_mass_removal, configs, held, trouble)| {
            // Pruning, the configs are the whole truth: all of them.
            Event::Pass {
                pruning: Pruning {
                    prune,
                    allow_mass_removal,
                },
                configs: if prune { 7 } else { configs },
                held,
                trouble,
            }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let statuses = prop::sample::select(vec!["ACTIVE", "DOWN", "BUILD", "ERROR"]);
    prop_oneof![
        4 => (0..VMS, 0..SUBNETS, any::<bool>()).prop_map(|(vm, subnet, down)| Event::Attach { vm, subnet, down }),
        1 => (0..16_usize, 0..VMS).prop_map(|(port, vm)| Event::Move { port, vm }),
        2 => (0..16_usize).prop_map(|port| Event::Detach { port }),
        1 => (0..16_usize).prop_map(|port| Event::DeletePort { port }),
        1 => (0..VMS).prop_map(|vm| Event::DeleteVm { vm }),
        1 => (0..VMS).prop_map(|vm| Event::Rename { vm }),
        1 => ((0..16_usize), statuses).prop_map(|(port, status)| Event::Status { port, status }),
        5 => pass(),
    ]
}

fn script(sky: &Sky, trouble: Trouble) {
    let cloud = sky.stage.lab.faults();
    let receiver = sky.stage.receiver.faults();
    cloud.clear();
    receiver.clear();
    let at = |service: Service| {
        if service == Service::ManagementApi {
            receiver
        } else {
            cloud
        }
        .at(service)
        .method("GET")
    };
    match trouble {
        Trouble::Nothing => {}
        Trouble::Down(service) => at(service).always().inject(Fault::status(403)),
        Trouble::Broken(service) => at(service).inject(Fault::Reset),
        Trouble::PortUnseen => at(Service::Neutron)
            .path("/v2.0/ports")
            .inject(Fault::OmitItems { count: 1 }),
        Trouble::AnswerLost => receiver
            .at(Service::ManagementApi)
            .method("POST")
            .inject(Fault::AnswerLost),
        Trouble::NoPost => receiver
            .at(Service::ManagementApi)
            .method("POST")
            .always()
            .inject(Fault::status(403)),
    }
}

/// What a config has delivered so far, as its status would say.
type Claims = BTreeMap<ConfigKey, BTreeSet<Claim>>;

/// The configs of a pass; the held ones come with nothing but their claims.
fn cast(configs: u8, held: u8, claims: &Claims) -> Vec<Config> {
    let held: BTreeSet<_> = Sky::configs(held).iter().map(key).collect();
    let config = |cr: &Cr| {
        let key = key(cr);
        if !held.contains(&key) {
            return cr.config();
        }
        let delivered = claims.get(&key).into_iter().flatten().cloned().collect();
        let cluster = CLUSTER.parse().unwrap();
        Config::Held {
            key,
            cluster,
            delivered,
        }
    };
    Sky::configs(configs).iter().map(config).collect()
}

fn key(cr: &Cr) -> ConfigKey {
    cr.config().selection().unwrap().key.clone()
}

fn note(claims: &mut Claims, report: &Report) {
    for ClusterReport { plan, delivery } in report.clusters.values() {
        let arrived = |name: &_| {
            let result = delivery.as_ref().and_then(|delivery| delivery.nodes.get(name));
            result.is_some_and(NodeResult::is_delivered)
        };
        for key in plan.claims.keys() {
            let earlier: Vec<_> = claims.remove(key).unwrap_or_default().into_iter().collect();
            claims.insert(key.clone(), plan.claims_after(key, &earlier, arrived));
        }
    }
}

async fn run_pass(sky: &Sky, claims: &mut Claims, pruning: Pruning, (configs, held): (u8, u8), trouble: Trouble) {
    let held_keys: BTreeSet<_> = Sky::configs(configs & held).iter().map(key).collect();
    let of_held = claims.iter().filter(|(key, _)| held_keys.contains(key));
    let kept = of_held
        .flat_map(|(_, claims)| claims)
        .map(|claim| claim.instance_id.to_string())
        .collect();
    let before = Delivered::of(&sky.stage.nodes());
    script(sky, trouble);
    sky.stage.receiver.clear_requests();
    let report = sky.stage.pass_of(cast(configs, held, claims), pruning).await;
    note(claims, &report);
    let after = Delivered::of(&sky.stage.nodes());
    let failed = report.outcome() == Outcome::Failed;
    let sent = sky
        .stage
        .receiver
        .requests()
        .iter()
        .any(|request| request.method == "POST");
    match trouble {
        // Nobody asks a cloud for a config that cannot be read.
        Trouble::Down(service) => {
            let asked = service == Service::ManagementApi || configs & !held != 0;
            assert!(failed == asked && before == after, "{trouble:?} {report:#?}");
        }
        Trouble::NoPost => assert!(before == after && failed == sent, "{report:#?}"),
        _ => assert!(!failed, "{trouble:?} {report:#?}"),
    }
    let complete = matches!(trouble, Trouble::Nothing | Trouble::Broken(_) | Trouble::AnswerLost);
    Pass {
        sky,
        before: &before,
        after: &after,
        prune: pruning.prune,
        configs: configs & !held,
        kept: &kept,
        complete,
    }
    .check();
}

async fn live(events: Vec<Event>) {
    let (mut sky, mut claims) = (Sky::new(), Claims::new());
    for event in events {
        match event {
            Event::Attach { vm, subnet, down } => sky.attach(vm, subnet, down),
            Event::Move { port, vm } => sky.move_port(port, vm),
            Event::Detach { port } => sky.detach(port),
            Event::DeletePort { port } => sky.delete_port(port),
            Event::DeleteVm { vm } => sky.delete_vm(vm),
            Event::Rename { vm } => sky.rename(vm),
            Event::Status { port, status } => sky.set_status(port, status),
            Event::Pass {
                pruning,
                configs,
                held,
                trouble,
            } if configs > 0 => run_pass(&sky, &mut claims, pruning, (configs, held), trouble).await,
            Event::Pass { .. } => {}
        }
    }
    let quiet = Pruning {
        prune: true,
        allow_mass_removal: true,
    };
    let before = Delivered::of(&sky.stage.nodes());
    run_pass(&sky, &mut claims, quiet, (7, 0), Trouble::Nothing).await;
    run_pass(&sky, &mut claims, quiet, (7, 0), Trouble::Nothing).await;
    let after = Delivered::of(&sky.stage.nodes());
    assert_eq!(after.in_force(), sky.desired_nodes(&before), "two quiet passes");
    // And nothing more to say.
    run_pass(&sky, &mut claims, quiet, (7, 0), Trouble::Nothing).await;
    assert!(sky.stage.receiver.posts().is_empty(), "a third pass sends nothing");
}

/// 256 days of up to 14 events by default (`PROPTEST_CASES` for more): each has some passes over real sockets.
#[test]
fn the_rules_hold_after_every_pass_of_any_day() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    proptest!(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() }, |(events in prop::collection::vec(event(), 0..14))| {
        runtime.block_on(live(events));
    });
}

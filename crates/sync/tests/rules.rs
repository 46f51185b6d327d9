//! Random days of a cloud: whatever is attached, detached, renamed, deleted or broken, and however often a pass runs in
//! between, the rules hold after every pass, and two quiet passes bring exactly what the cloud says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;
mod story {
    pub mod oracle;
    pub mod sky;
}

use multinic_lab::{Fault, Service};
use multinic_sync::{Outcome, once::Pruning};
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
    (any::<bool>(), any::<bool>(), 0..8_u8, trouble()).prop_map(|(prune, allow_mass_removal, configs, trouble)| {
        // Pruning, the configs are the whole truth: all of them.
        Event::Pass {
            pruning: Pruning {
                prune,
                allow_mass_removal,
            },
            configs: if prune { 7 } else { configs },
            trouble,
        }
    })
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

async fn run_pass(sky: &Sky, pruning: Pruning, configs: u8, trouble: Trouble) {
    let before = Delivered::of(&sky.stage.nodes());
    script(sky, trouble);
    sky.stage.receiver.clear_requests();
    let report = sky.stage.pass(&Sky::configs(configs), pruning).await;
    let after = Delivered::of(&sky.stage.nodes());
    let failed = report.outcome() == Outcome::Failed;
    let sent = sky
        .stage
        .receiver
        .requests()
        .iter()
        .any(|request| request.method == "POST");
    match trouble {
        Trouble::Down(_) => assert!(failed && before == after, "{trouble:?} {report:#?}"),
        Trouble::NoPost => assert!(before == after && failed == sent, "{report:#?}"),
        _ => assert!(!failed, "{trouble:?} {report:#?}"),
    }
    let complete = matches!(trouble, Trouble::Nothing | Trouble::Broken(_) | Trouble::AnswerLost);
    Pass {
        sky,
        before: &before,
        after: &after,
        prune: pruning.prune,
        configs,
        complete,
    }
    .check();
}

async fn live(events: Vec<Event>) {
    let mut sky = Sky::new();
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
                trouble,
            } if configs > 0 => run_pass(&sky, pruning, configs, trouble).await,
            Event::Pass { .. } => {}
        }
    }
    let quiet = Pruning {
        prune: true,
        allow_mass_removal: true,
    };
    let before = Delivered::of(&sky.stage.nodes());
    run_pass(&sky, quiet, 7, Trouble::Nothing).await;
    run_pass(&sky, quiet, 7, Trouble::Nothing).await;
    let after = Delivered::of(&sky.stage.nodes());
    assert_eq!(after.in_force(), sky.desired_nodes(&before), "two quiet passes");
    // And nothing more to say.
    run_pass(&sky, quiet, 7, Trouble::Nothing).await;
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

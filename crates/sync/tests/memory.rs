//! What is known to be held after a delivery is what a read-back says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "the stories share a sky")]

mod common;
mod story {
    pub mod oracle;
    pub mod sky;
}

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use common::{CLUSTER, Cr, Stage, Staging, cast};
use multinic_delivery::AlwaysOpen;
use multinic_lab::{Fault, Receiver, Service};
use multinic_model::{ClusterId, ConfigKey, Earlier};
use multinic_planner::{Change, Claim, Policy};
use multinic_sync::{
    ClusterReport, Config, Extent, Ledgers, Outcome, Read, Readings, Report, earlier_after,
    observer::Unobserved,
    once::Pruning,
    read_back,
    readings::{Freshness, ReadingsPace, Since, wishes},
};
use proptest::prelude::*;
use story::sky::{SUBNETS, Sky, VMS};
use tokio::time::Instant;

fn cluster() -> ClusterId {
    CLUSTER.parse().unwrap()
}

/// Everything may go at once: nothing waits for a second reading.
fn policy(stage: &Stage) -> Policy {
    let pruning = Pruning {
        prune: true,
        allow_mass_removal: true,
    };
    Policy {
        removal_confirmations: NonZeroU32::MIN,
        ..pruning.policy(&stage.settings)
    }
}

/// Reads, plans from `earlier`, delivers.
async fn pass(stage: &Stage, configs: Vec<Config>, earlier: Earlier) -> Report {
    let readings = Readings::new(Arc::clone(&stage.connections), ReadingsPace::default());
    readings.want(&cluster(), wishes(&configs));
    let mut outcomes = BTreeMap::new();
    for place in wishes(&configs).into_keys() {
        let freshness = Freshness {
            since: Since::whole(Instant::now()),
            newer_than: None,
        };
        let reading = readings.reading(&cluster(), &place, freshness).await;
        outcomes.insert(place, reading.outcome.clone());
    }
    let earlier = BTreeMap::from([(cluster(), Ok(earlier))]);
    let planned =
        Read::assembled(configs, outcomes, BTreeMap::new(), earlier).plan(&policy(stage), &Ledgers::new(), &Unobserved);
    planned
        .deliver(&stage.connections, &Unobserved, &AlwaysOpen, Extent::Changed)
        .await
        .report()
}

fn after(earlier: &Earlier, report: &Report) -> Earlier {
    let ClusterReport { plan, delivery } = &report.clusters[&cluster()];
    earlier_after(earlier, plan, delivery.as_ref())
}

/// One pass after each event; the memory goes from pass to pass and is never read back.
async fn live(events: Vec<(u8, usize, usize)>) {
    let mut sky = Sky::new();
    let mut memory = Earlier::Known(BTreeMap::new());
    for (kind, a, b) in events {
        let posts = sky.stage.receiver.faults();
        posts.clear();
        match kind {
            0..=3 => sky.attach(a % VMS, b % SUBNETS, false),
            4 => sky.detach(a),
            5 => sky.delete_port(a),
            6 => sky.rename(a % VMS),
            7 => sky.move_port(a, b % VMS),
            8 => sky.stage.receiver.reject(&sky.vms[a % VMS].name, "not today"),
            9 => posts
                .at(Service::ManagementApi)
                .method("POST")
                .always()
                .inject(Fault::status(403)),
            10 => posts
                .at(Service::ManagementApi)
                .method("POST")
                .inject(Fault::AnswerLost),
            _ => sky.delete_vm(a % VMS),
        }
        let configs = Sky::configs(7).iter().map(Cr::config).collect();
        let report = pass(&sky.stage, configs, memory.clone()).await;
        memory = after(&memory, &report);
        let held = read_back(&sky.stage.connections, &cluster()).await.unwrap();
        assert_eq!(memory, held, "{report:#?}");
    }
}

/// 64 days by default (`PROPTEST_CASES` for more).
#[test]
fn the_memory_of_what_was_acknowledged_is_what_a_read_back_says() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig::default();
    let config = ProptestConfig {
        cases: if asked { default.cases } else { 64 },
        max_shrink_iters: 200,
        ..default
    };
    let events = prop::collection::vec((0..12_u8, 0..16_usize, 0..16_usize), 1..14);
    proptest!(config, |(events in events)| runtime.block_on(live(events)));
}

#[tokio::test]
async fn a_server_without_read_back_is_known_once_it_has_acknowledged_everything() {
    let staging = Staging {
        receiver: Receiver::plain(204, 405).unwrap(),
        ..Staging::default()
    };
    let stage = staging.stage(cast::cloud());
    let configs = || vec![cast::all()[0].config()];
    let faults = stage.receiver.faults();
    faults
        .at(Service::ManagementApi)
        .method("POST")
        .inject(Fault::status(403));
    let earlier = read_back(&stage.connections, &cluster()).await.unwrap();
    assert_eq!(earlier, Earlier::NotOffered);
    let refused = pass(&stage, configs(), earlier.clone()).await;
    assert_eq!(after(&earlier, &refused), Earlier::NotOffered);
    let accepted = pass(&stage, configs(), earlier.clone()).await;
    let memory = after(&earlier, &accepted);
    assert!(matches!(&memory, Earlier::Known(nodes) if nodes.len() == 3));
    stage.receiver.clear_requests();
    let idle = pass(&stage, configs(), memory).await;
    assert_eq!(idle.clusters[&cluster()].plan.count(Change::Unchanged), 3);
    assert!(
        stage.receiver.requests().is_empty(),
        "nothing is sent again, nothing is asked"
    );
}

#[tokio::test]
async fn a_server_without_read_back_stays_unknown_while_a_claim_is_open() {
    let staging = Staging {
        receiver: Receiver::plain(204, 405).unwrap(),
        ..Staging::default()
    };
    let stage = staging.stage(cast::cloud());
    let claim = Claim {
        instance_id: "i-of-yesterday".parse().unwrap(),
        node_name: "w0".parse().unwrap(),
    };
    let held = Config::Held {
        key: ConfigKey {
            namespace: "default".to_owned(),
            name: "held".to_owned(),
        },
        cluster: cluster(),
        delivered: vec![claim],
    };
    let report = pass(&stage, vec![cast::all()[0].config(), held], Earlier::NotOffered).await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
    assert_eq!(after(&Earlier::NotOffered, &report), Earlier::NotOffered);
}

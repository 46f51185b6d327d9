//! Shared readings over real sockets: what many clusters cost, and who waits for whom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use common::{CLUSTER, Cr, PROJECT, PROVIDER, PRUNE, Stage, cast};
use futures::{FutureExt, future::join_all};
use multinic_delivery::AlwaysOpen;
use multinic_lab::{CloudBuilder, Fault, SEED_SUBNET_ID, Service};
use multinic_model::{ClusterId, Earlier};
use multinic_sync::{
    Config, Extent, Outcome, Place, Read, Readings, Report,
    observer::Unobserved,
    read_back,
    readings::{Freshness, ReadingsPace, Since, wishes},
};
use tokio::time::Instant;

/// A stage with readings that its clusters share.
struct Theatre {
    stage: Stage,
    readings: Readings,
}

impl Theatre {
    fn new(cloud: CloudBuilder) -> Self {
        let stage = Stage::new(cloud);
        let readings = Readings::new(Arc::clone(&stage.connections), ReadingsPace::default());
        Self { stage, readings }
    }

    /// What an operator does for one cluster that is due now.
    async fn pass(&self, cluster: &ClusterId, configs: Vec<Config>) -> Report {
        let freshness = now();
        let places = wishes(&configs).into_keys();
        let asked = places.map(async |place| {
            let reading = self.readings.reading(cluster, &place, freshness).await;
            (place, reading.outcome.clone())
        });
        let outcomes = join_all(asked).await.into_iter().collect();
        let earlier = read_back(&self.stage.connections, cluster).await;
        let earlier = BTreeMap::from([(cluster.clone(), earlier)]);
        let policy = PRUNE.policy(&self.stage.settings);
        let planned =
            Read::assembled(configs, outcomes, BTreeMap::new(), earlier).plan(&policy, &BTreeMap::new(), &Unobserved);
        assert!(planned.plan(cluster).is_some());
        planned
            .deliver(&self.stage.connections, &Unobserved, &AlwaysOpen, Extent::Changed)
            .await
            .report()
    }

    fn asked(&self, service: Service, part: &str) -> usize {
        let requests = self.stage.lab.requests_to(service);
        requests.iter().filter(|request| request.path().contains(part)).count()
    }
}

fn now() -> Freshness {
    Freshness {
        since: Since::whole(Instant::now()),
        newer_than: None,
    }
}

fn name(cluster: usize) -> String {
    format!("cluster-{cluster}")
}

#[tokio::test]
async fn ten_clusters_of_a_hundred_configs_cost_one_reading() {
    let theatre = Theatre::new(CloudBuilder::sized(100, 1));
    let configs = |cluster: usize| {
        let cr = |n| {
            let vm = CloudBuilder::sized_vm_name(n);
            Cr::on_id(&format!("c{cluster}-{n}"), SEED_SUBNET_ID, &[&vm]).cluster(Some(&name(cluster)))
        };
        (1..=100).map(|n| cr(n).config()).collect::<Vec<_>>()
    };
    let clusters: Vec<(ClusterId, Vec<Config>)> = (0..10).map(|n| (name(n).parse().unwrap(), configs(n))).collect();
    for (cluster, configs) in &clusters {
        theatre.readings.want(cluster, wishes(configs));
    }
    let passes = clusters
        .iter()
        .map(|(cluster, configs)| theatre.pass(cluster, configs.clone()));
    for report in join_all(passes).await {
        assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
    }
    for n in 0..10 {
        assert_eq!(
            theatre.stage.receiver.node_configs(&name(n)).as_object().unwrap().len(),
            100
        );
    }
    assert_eq!(theatre.asked(Service::Contrabass, "/"), 1);
    assert_eq!(theatre.asked(Service::Keystone, "/auth/tokens"), 1);
    assert_eq!(theatre.asked(Service::Neutron, "/subnets"), 1);
    assert_eq!(theatre.asked(Service::Neutron, "/networks"), 1);
}

#[tokio::test]
async fn twenty_places_of_one_provider_ask_contrabass_once() {
    let project = |n: usize| format!("{n:032x}");
    let cloud = (1..=20).fold(CloudBuilder::new().provider(PROVIDER), |cloud, n| {
        cloud
            .project(&project(n), &format!("p{n}"))
            .network("net")
            .subnet(&format!("sub-{n}"), &format!("10.{n}.0.0/24"))
            .vm(&format!("vm-{n}"))
            .port(&format!("sub-{n}"))
    });
    let theatre = Theatre::new(cloud);
    let cr = |n: usize| Cr::on_name(&format!("c{n}"), &format!("sub-{n}"), &[&format!("vm-{n}")]).project(&project(n));
    let configs: Vec<_> = (1..=20).map(|n| cr(n).config()).collect();
    let cluster = CLUSTER.parse().unwrap();
    theatre.readings.want(&cluster, wishes(&configs));
    let report = theatre.pass(&cluster, configs).await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
    assert_eq!(
        theatre.stage.receiver.node_configs(CLUSTER).as_object().unwrap().len(),
        20
    );
    assert_eq!(theatre.asked(Service::Contrabass, "/"), 1);
    assert_eq!(theatre.asked(Service::Neutron, "/subnets"), 20);
}

#[tokio::test]
async fn a_provider_that_hangs_delays_no_other() {
    let theatre = Theatre::new(cast::cloud().provider("hanging"));
    let faults = theatre.stage.lab.faults();
    faults
        .at(Service::Contrabass)
        .path("hanging")
        .always()
        .inject(Fault::Hang);
    let hanging = [Cr::on_id("h", cast::RED, &["w1"]).provider("hanging").config()];
    let (slow, quick): (ClusterId, ClusterId) = ("slow".parse().unwrap(), CLUSTER.parse().unwrap());
    theatre.readings.want(&slow, wishes(&hanging));
    let good = vec![cast::all()[0].config()];
    theatre.readings.want(&quick, wishes(&good));
    let place = hanging[0].place().unwrap();
    let mut waiting = Box::pin(theatre.readings.reading(&slow, &place, now()));
    assert!((&mut waiting).now_or_never().is_none());
    let report = theatre.pass(&quick, good).await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
    assert!((&mut waiting).now_or_never().is_none());
}

#[tokio::test]
async fn a_place_without_a_reading_changes_nothing() {
    let theatre = Theatre::new(cast::cloud());
    let cluster: ClusterId = CLUSTER.parse().unwrap();
    let configs = vec![cast::all()[0].config()];
    theatre.readings.want(&cluster, wishes(&configs));
    theatre.pass(&cluster, configs.clone()).await;
    let before = theatre.stage.receiver.node_configs(CLUSTER);
    let earlier = BTreeMap::from([(cluster.clone(), read_back(&theatre.stage.connections, &cluster).await)]);
    assert!(matches!(&earlier[&cluster], Ok(Earlier::Known(nodes)) if nodes.len() == 3));
    let read = Read::assembled(configs, BTreeMap::new(), BTreeMap::new(), earlier);
    let planned = read.plan(&PRUNE.policy(&theatre.stage.settings), &BTreeMap::new(), &Unobserved);
    assert_eq!(planned.plan(&cluster).unwrap().deliveries().count(), 0);
    planned
        .deliver(&theatre.stage.connections, &Unobserved, &AlwaysOpen, Extent::Changed)
        .await;
    assert_eq!(theatre.stage.receiver.node_configs(CLUSTER), before);
    let elsewhere = Place {
        provider: PROVIDER.parse().unwrap(),
        project: PROJECT.parse().unwrap(),
    };
    theatre.readings.forget(&cluster);
    let reading = theatre.readings.reading(&cluster, &elsewhere, now()).await;
    assert_eq!(reading.outcome.as_ref().unwrap_err().category(), "abandoned");
}

//! Answers that say less, or more, than they should: a read-back that vanishes, a login cut short, a Keystone that repeats
//! the password.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{ADD, Cr, PRUNE, Stage};
use multinic_lab::{CloudBuilder, Cut, DEMO_ADMIN_PASSWORD, Fault, SEED_SUBNET_ID, Service};
use multinic_sync::Outcome;
use multinic_testing::expect::ids;

fn config() -> [Cr; 1] {
    [Cr::on_id("c", SEED_SUBNET_ID, &["vm-00001"])]
}

/// A node whose id 1 is free, so that numbering from the start would move the others.
async fn with_a_free_id() -> Stage {
    let stage = Stage::new(CloudBuilder::sized(1, 3));
    stage.good_pass(&config(), ADD).await;
    let first = ids(&stage.nodes()["vm-00001"])
        .into_iter()
        .find(|(_, id)| *id == 1)
        .unwrap()
        .0;
    for port in stage.lab.cloud().ports_of("vm-00001").unwrap() {
        stage.lab.cloud().detach_port(&port).unwrap();
        stage.good_pass(&config(), PRUNE).await;
        if !ids(&stage.nodes()["vm-00001"]).contains_key(&first) {
            break;
        }
        stage.lab.cloud().attach(&port, "vm-00001").unwrap();
        stage.good_pass(&config(), PRUNE).await;
    }
    stage
}

#[tokio::test]
async fn a_read_back_that_vanishes_between_two_passes_moves_no_id() {
    for status in [404, 405, 501] {
        let stage = with_a_free_id().await;
        let before = stage.nodes();
        let faults = stage.receiver.faults();
        faults
            .at(Service::ManagementApi)
            .method("GET")
            .inject(Fault::status(status));
        let report = stage.pass(&config(), ADD).await;
        assert_eq!((report.outcome(), stage.nodes()), (Outcome::Failed, before), "{status}");
    }
}

#[tokio::test]
async fn a_read_back_that_vanishes_between_two_readings_moves_no_id() {
    let stage = with_a_free_id().await;
    let port = stage.lab.cloud().ports_of("vm-00001").unwrap().pop().unwrap();
    stage.lab.cloud().detach_port(&port).unwrap();
    let before = stage.nodes();
    let faults = stage.receiver.faults();
    faults
        .at(Service::ManagementApi)
        .method("GET")
        .nth(2)
        .inject(Fault::status(404));
    let report = stage.pass(&config(), PRUNE).await;
    assert_eq!((report.outcome(), stage.nodes()), (Outcome::Failed, before));
}

#[tokio::test]
async fn a_login_whose_answer_is_cut_short_is_tried_again() {
    for bytes in [0, 1, 100] {
        let stage = Stage::new(CloudBuilder::sized(1, 1));
        let faults = stage.lab.faults();
        faults
            .at(Service::Keystone)
            .post("/auth/tokens")
            .inject(Fault::Truncate(Cut::After(bytes)));
        assert_eq!(
            stage.pass(&config(), ADD).await.outcome(),
            Outcome::Done,
            "after {bytes} bytes"
        );
    }
}

#[tokio::test]
async fn a_keystone_that_repeats_the_password_is_not_quoted_with_it() {
    for status in [401, 400] {
        let stage = Stage::new(CloudBuilder::sized(1, 1));
        let body = format!("{{\"error\": {{\"code\": {status}, \"message\": \"no {DEMO_ADMIN_PASSWORD}\"}}}}");
        let faults = stage.lab.faults();
        faults
            .at(Service::Keystone)
            .always()
            .inject(Fault::status(status).body(&body));
        let report = stage.pass(&config(), ADD).await;
        assert_eq!(report.outcome(), Outcome::Failed);
        assert!(!format!("{report:?}").contains(DEMO_ADMIN_PASSWORD), "{status}");
    }
}

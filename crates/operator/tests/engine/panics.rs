//! A defect in one pass is that pass's alone.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use multinic_lab::Receiver;

use crate::stage::{Cr, Stage, cloud, ids};

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Only passes ask what time it is.
fn broken_clock() -> Timestamp {
    assert!(CALLS.fetch_add(1, Ordering::Relaxed) >= 3, "on purpose");
    Timestamp::now()
}

#[tokio::test]
async fn a_pass_that_panics_is_made_again() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.pace.now = broken_clock;
    stage.pace.backoff.base = Duration::from_millis(1);
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.ready("c").await;
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 1);
    assert!(CALLS.load(Ordering::Relaxed) > 3);
}

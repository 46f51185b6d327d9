//! A thousand configs with three statuses each, and a watcher that sees all of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, pin_mut};
use kube::api::{Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use support::{client, config, configs, lab, status};

const CONFIGS: usize = 1000;

#[tokio::test]
async fn a_thousand_configs_are_written_and_watched() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let stream = configs
        .watch(&WatchParams::default(), &lab.revision().to_string())
        .await
        .unwrap();
    let begun = Instant::now();
    for index in 0..CONFIGS {
        configs
            .create(&PostParams::default(), &config(&format!("config-{index}")))
            .await
            .unwrap();
    }
    let created = begun.elapsed();
    let apply = PatchParams::apply("multinic-operator").force();
    for round in 0..3 {
        for index in 0..CONFIGS {
            let status = Patch::Apply(status(&format!("round {round}")));
            configs
                .patch_status(&format!("config-{index}"), &apply, &status)
                .await
                .unwrap();
        }
    }
    println!(
        "{CONFIGS} creates in {created:?}, with 3 statuses each in {:?}",
        begun.elapsed()
    );
    pin_mut!(stream);
    let events: Vec<_> = stream.take(4 * CONFIGS).try_collect().await.unwrap();
    let added = events
        .iter()
        .filter(|event| matches!(event, WatchEvent::Added(_)))
        .count();
    assert_eq!((added, events.len()), (CONFIGS, 4 * CONFIGS));
}

//! PostgreSQL goes away and comes back, or another takes its place, while clients go on: they are told so cleanly, nothing
//! that was acknowledged is lost, and nobody has to do anything.

use std::{sync::Arc, time::Duration};

use multinic_management_api::store::DatabaseSettings;
use multinic_testing::{
    postgres::{PostgresServer, Shutdown},
    relay::{Behind, Relay},
    writers::Refusal,
};
use tokio::task::spawn_blocking;

use crate::support::{api::Api, load::Load};

async fn started(settings: &'static [&'static str]) -> Arc<PostgresServer> {
    Arc::new(spawn_blocking(|| PostgresServer::start(settings)).await.unwrap())
}

/// Does something that takes time while everything else goes on.
async fn with<T: Send + 'static>(
    server: &Arc<PostgresServer>,
    act: impl FnOnce(&PostgresServer) -> T + Send + 'static,
) -> T {
    let server = Arc::clone(server);
    spawn_blocking(move || act(&server)).await.unwrap()
}

async fn api(url: String) -> Api {
    Api::start_on(DatabaseSettings::new(url), |options| {
        options.limits.request_time = Duration::from_secs(6);
    })
    .await
}

fn all_are_clean(refusals: &[Refusal]) {
    for refusal in refusals {
        assert_eq!((refusal.status, refusal.problem.as_str()), (503, "unavailable"));
        assert!(refusal.retry_after.is_some());
    }
}

async fn restarted(how: Shutdown) {
    let server = started(&[]).await;
    let api = api(server.url()).await;
    let load = Load::start(api.address);
    for _ in 0..2 {
        load.flows().await;
        with(&server, move |server| server.stop(how)).await;
        load.is_refused().await;
        with(&server, PostgresServer::resume).await;
        load.flows().await;
    }
    let (followed, refusals) = load.end().await;
    assert!(followed.acknowledged > 0);
    all_are_clean(&refusals);
}

#[tokio::test]
async fn postgresql_is_restarted_under_load() {
    restarted(Shutdown::Fast).await;
}

#[tokio::test]
async fn postgresql_crashes_under_load() {
    restarted(Shutdown::Immediate).await;
}

/// A primary that acknowledges only what its standby has, too.
async fn pair() -> (Arc<PostgresServer>, Arc<PostgresServer>) {
    let primary = started(&[]).await;
    let standby = Arc::new(with(&primary, |primary| primary.standby("second")).await);
    with(&primary, |primary| {
        primary.query("ALTER SYSTEM SET synchronous_standby_names = 'second'");
        primary.query("SELECT pg_reload_conf()");
        while primary.query("SELECT sync_state FROM pg_stat_replication") != "sync" {}
    })
    .await;
    (primary, standby)
}

#[tokio::test]
async fn a_standby_takes_over_under_load() {
    let (primary, standby) = pair().await;
    let relay = Relay::to(&primary.socket()).await;
    let api = api(format!("postgres://multinic@{}/multinic", relay.address())).await;
    let load = Load::start(api.address);
    load.flows().await;
    with(&primary, |primary| primary.stop(Shutdown::Immediate)).await;
    load.is_refused().await;
    // The address leads to the standby before it was promoted: it is not to be written to, nor read from.
    relay.lead(Behind::Socket(standby.socket()));
    load.is_refused().await;
    with(&standby, PostgresServer::promote).await;
    load.flows().await;
    let (followed, refusals) = load.end().await;
    assert!(followed.acknowledged > 0);
    all_are_clean(&refusals);
}

#[tokio::test]
async fn the_primary_falls_silent_under_load() {
    let (primary, standby) = pair().await;
    let relay = Relay::to(&primary.socket()).await;
    let api = api(format!("postgres://multinic@{}/multinic", relay.address())).await;
    let load = Load::start(api.address);
    load.flows().await;
    relay.lead(Behind::Silence);
    load.is_refused().await;
    with(&primary, |primary| primary.stop(Shutdown::Immediate)).await;
    with(&standby, PostgresServer::promote).await;
    relay.lead(Behind::Socket(standby.socket()));
    load.flows().await;
    let (followed, refusals) = load.end().await;
    assert!(followed.acknowledged > 0);
    all_are_clean(&refusals);
}

//! `kill -9` of `multinic api` at random moments while clients post: what was acknowledged is there, nothing is half there,
//! the history goes on where it ended, and the outbox delivers all of it. A handful of rounds; `scripts/durability-api.sh`
//! plays hundreds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod api;
mod rounds;
mod workload;

use multinic_testing::postgres::PostgresDatabase;

#[tokio::test]
async fn sqlite_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/api.db", folder.path().display());
    rounds::play("SQLite", &database).await;
}

#[tokio::test]
async fn postgresql_keeps_what_was_acknowledged() {
    let database = PostgresDatabase::create();
    rounds::play("PostgreSQL", &database.url()).await;
}

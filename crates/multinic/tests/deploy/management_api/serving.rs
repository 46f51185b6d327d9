//! It serves with what the pod is given.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use multinic_testing::postgres::PostgresDatabase;

use super::{
    installed,
    process::{NODES, Pod, TOKEN, installation_secrets, secret},
};

#[tokio::test]
async fn on_sqlite_it_serves_with_what_the_pod_is_given_and_writes_into_its_volume_only() {
    let cluster = installed("sqlite").await;
    installation_secrets(&cluster);
    let pod = Pod::start(&cluster);
    let given = files_below(pod.root.path());
    pod.serves();
    let written = files_below(pod.root.path());
    let volume = pod.root.path().join("var/lib/multinic");
    assert!(written.contains(&volume.join("api.db")));
    let elsewhere: Vec<_> = written
        .difference(&given)
        .filter(|path| !path.starts_with(&volume))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        if path.is_dir() {
            files_below(&path)
        } else {
            [path].into()
        }
    });
    below.collect()
}

#[tokio::test]
async fn on_postgresql_two_replicas_serve_what_either_has_taken() {
    let cluster = installed("postgresql").await;
    let database = PostgresDatabase::create();
    installation_secrets(&cluster);
    secret(&cluster, "multinic-database", "url", &database.url());
    let (one, other) = (Pod::start(&cluster), Pod::start(&cluster));
    one.serves();
    let (status, answer) = other.ask("GET", &format!("{NODES}/worker-1"), TOKEN, "");
    assert!(status == 200 && answer.contains("\"i-1\""), "{answer}");
}

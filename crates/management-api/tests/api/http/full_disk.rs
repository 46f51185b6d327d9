//! SQLite's disk is full: said so, nothing corrupted, still read, and over once there is room.

use std::{path::Path, process::Command};

use multinic_management_api::store::DatabaseSettings;
use multinic_testing::writers::{History, Writer, Written};
use sqlx::{AnyConnection, Connection};
use tempfile::TempDir;

use crate::support::api::Api;

const CLUSTER: &str = "biz-1";
const SMALL: u64 = 2 * 1024 * 1024;

/// A small disk of its own where that can be had (root), else a database that is limited to as much.
struct Disk {
    folder: TempDir,
    is_mounted: bool,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_mounted = mount(&format!("size={SMALL}"), folder.path());
        Self { folder, is_mounted }
    }

    fn url(&self) -> String {
        format!("sqlite://{}/api.db", self.folder.path().display())
    }

    async fn serve(&self) -> Api {
        let limit = (!self.is_mounted).then_some(SMALL);
        Api::start_on(DatabaseSettings::new(self.url()), |options| {
            options.database.max_size = limit;
        })
        .await
    }

    /// A disk grows under the running server; the limit goes with a new one.
    async fn grow(&self, api: Api) -> Api {
        if self.is_mounted {
            assert!(mount("remount,size=64m", self.folder.path()));
            return api;
        }
        api.stop().await;
        Api::start_on(DatabaseSettings::new(self.url()), |_| {}).await
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        }
    }
}

fn mount(options: &str, folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "multinic-test"]).arg(folder);
    mount.output().is_ok_and(|output| output.status.success())
}

async fn until_full(api: &Api, writer: &mut Writer) {
    loop {
        match writer.write(api.address).await {
            Written::Acknowledged => {}
            Written::Refused(refusal) => {
                assert_eq!((refusal.status, refusal.problem.as_str()), (507, "disk-full"));
                assert!(refusal.retry_after.is_some());
                return;
            }
            Written::Unanswered => panic!("no answer"),
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_over_when_there_is_room_again() {
    let disk = Disk::new();
    let api = disk.serve().await;
    let mut history = History::new(CLUSTER);
    let mut writers = [Writer::new(CLUSTER, 0, 100), Writer::new(CLUSTER, 1, 3)];
    for writer in &mut writers {
        until_full(&api, writer).await;
    }
    assert_eq!(writers[0].read(api.address).await, Ok(200));
    assert_eq!(api.get("/readyz").await.status, 200);
    assert!(history.follow(api.address, &mut writers).await.acknowledged > 0);
    let api = disk.grow(api).await;
    for writer in &mut writers {
        assert_eq!(writer.write(api.address).await, Written::Acknowledged);
    }
    assert_eq!(history.follow(api.address, &mut writers).await.acknowledged, 2);
    api.stop().await;
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&disk.url()).await.unwrap();
    let checked: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(checked, "ok");
}

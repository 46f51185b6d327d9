//! Copies.

use multinic_management_api::store::{DatabaseSettings, Registration, Store, StoreError};

use crate::support::{
    configs::{cluster, name, node, put},
    database::TestDatabase,
};

#[tokio::test]
async fn a_copy_holds_everything_and_is_never_written_over() {
    let database = TestDatabase::sqlite();
    let store = database.store().await;
    put(&store, [node(1, 2)]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    store.backup(&path).await.unwrap();
    put(&store, [node(1, 3)]).await;
    let copy = DatabaseSettings::new(format!("sqlite://{}", path.display()));
    let copy = Store::new(&copy, Registration::Automatic).unwrap();
    copy.check().await.unwrap();
    assert_eq!(
        copy.node(&cluster(), &name(1)).await.unwrap().unwrap().config,
        node(1, 2)
    );
    let again = store.backup(&path).await;
    assert!(matches!(again, Err(StoreError::BackupPath { .. })), "{again:?}");
}

#[tokio::test]
async fn postgresql_has_its_own_tool() {
    let database = TestDatabase::postgres();
    let store = database.store().await;
    let refused = store.backup("/nowhere/copy.db".as_ref()).await;
    assert!(matches!(refused, Err(StoreError::NoBackup)), "{refused:?}");
}

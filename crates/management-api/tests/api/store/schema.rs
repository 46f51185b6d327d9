//! The schema and the ways in which a database can be of no use.

use multinic_management_api::store::{DatabaseSettings, Registration, Store, StoreError};

use crate::support::on_both_databases;

on_both_databases! {
    async fn migrating_again_and_at_once_changes_nothing(database: TestDatabase) {
        let stores = [(); 3].map(|()| Store::new(&database.settings(), Registration::Automatic).unwrap());
        let unknown = stores[0].check().await;
        assert!(unknown.is_err(), "an empty database has no schema");
        let [one, two, three] = &stores;
        if database.file().is_some() {
            // One file is one replica's: a second process may open it, but nobody creates it with somebody else.
            one.migrate().await.unwrap();
        }
        let (first, second, third) = tokio::join!(one.migrate(), two.migrate(), three.migrate());
        first.and(second).and(third).unwrap();
        one.check().await.unwrap();
        one.migrate().await.unwrap();
        one.check().await.unwrap();
    }
}

#[tokio::test]
async fn an_address_of_no_use_is_refused_without_being_repeated() {
    for url in [
        "",
        "mysql://root:secret@db/x",
        "sqlite://:memory:",
        "sqlite:///a?mode=ro",
        "/var/lib/api.db",
    ] {
        let refused = Store::new(&DatabaseSettings::new(url), Registration::Automatic);
        let message = refused.map(|_| ()).unwrap_err().to_string();
        assert!(!message.contains("secret"), "{message}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable() {
    let mut settings = DatabaseSettings::new("postgres://multinic@%2Fnonexistent/db");
    settings.patience = std::time::Duration::from_millis(50);
    let store = Store::new(&settings, Registration::Automatic).unwrap();
    let away = store.check().await;
    assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
}

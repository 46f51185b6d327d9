//! A database for one test.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use multinic_management_api::store::{DatabaseSettings, Registration, Store};
use multinic_testing::postgres::PostgresDatabase;
use sqlx::{AnyConnection, Connection};
use tempfile::TempDir;

/// An empty database, gone when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    kind: Kind,
    micros: Arc<AtomicI64>,
}

#[derive(Debug)]
enum Kind {
    Sqlite(TempDir),
    Postgres(PostgresDatabase),
}

/// 2026-01-08T00:00:00Z
const START: i64 = 1_767_830_400_000_000;

impl TestDatabase {
    pub fn sqlite() -> Self {
        Self::new(Kind::Sqlite(tempfile::tempdir().unwrap()))
    }

    pub fn postgres() -> Self {
        Self::new(Kind::Postgres(PostgresDatabase::create()))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            micros: Arc::new(AtomicI64::new(START)),
        }
    }

    /// The file, if it is SQLite's.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.kind {
            Kind::Sqlite(folder) => Some(folder.path().join("api.db")),
            Kind::Postgres(_) => None,
        }
    }

    pub fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite(folder) => format!("sqlite://{}/api.db", folder.path().display()),
            Kind::Postgres(database) => database.url(),
        }
    }

    pub fn settings(&self) -> DatabaseSettings {
        DatabaseSettings::new(self.url())
    }

    /// A store on the migrated database; its clock goes on by one second with every look at it.
    pub async fn store(&self) -> Store {
        self.store_with(Registration::Automatic).await
    }

    pub async fn store_with(&self, registration: Registration) -> Store {
        let micros = Arc::clone(&self.micros);
        let clock = move || Timestamp::from_microsecond(micros.fetch_add(1_000_000, Ordering::Relaxed)).unwrap();
        let store = Store::new(&self.settings(), registration)
            .unwrap()
            .with_clock(Arc::new(clock));
        store.migrate().await.unwrap();
        store
    }

    /// Cuts every connection of others to it (PostgreSQL).
    pub fn cut_connections(&self) {
        if let Kind::Postgres(database) = &self.kind {
            database.cut_connections();
        }
    }

    /// As if the time of every replica that delivers were over.
    pub async fn bury_replicas(&self) {
        let mut connection = self.connect().await;
        sqlx::query("UPDATE replicas SET alive_until = 0")
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// When the node's object is due, as microseconds; sets it if told to.
    pub async fn due_at(&self, node: &str, set: Option<i64>) -> Option<i64> {
        let mut connection = self.connect().await;
        if let Some(due) = set {
            let text = format!("UPDATE deliveries SET due_at = {due} WHERE node_name = '{node}'");
            sqlx::query(sqlx::AssertSqlSafe(text))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let text = format!("SELECT due_at FROM deliveries WHERE node_name = '{node}'");
        sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }

    /// As if it had never been migrated.
    pub async fn forget_migrations(&self) {
        let mut connection = self.connect().await;
        sqlx::query("DELETE FROM _sqlx_migrations")
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// A connection beside those of the store.
    pub async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url()).await.unwrap()
    }

    /// Watches for rows that are written.
    pub async fn writes(&self) -> Writes {
        Writes {
            is_sqlite: self.file().is_some(),
            connection: self.connect().await,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, days: i64) {
        self.micros.fetch_add(days * 86_400_000_000, Ordering::Relaxed);
    }
}

/// Tells whether any row was written.
#[derive(Debug)]
pub struct Writes {
    is_sqlite: bool,
    connection: AnyConnection,
}

impl Writes {
    /// Other with every write of somebody else: SQLite counts commits that change the file, PostgreSQL stamps each row with
    /// the transaction that wrote it.
    pub async fn last(&mut self) -> i64 {
        if self.is_sqlite {
            let version = sqlx::query_scalar("PRAGMA data_version");
            return version.fetch_one(&mut self.connection).await.unwrap();
        }
        let tables = [
            "providers",
            "changes",
            "nodes",
            "interfaces",
            "deliveries",
            "idempotency_keys",
            "reports",
        ];
        let newest = tables
            .map(|table| format!("SELECT MAX(xmin::text::bigint) AS x FROM {table}"))
            .join(" UNION ALL ");
        let newest = format!("SELECT MAX(x) FROM ({newest}) AS newest");
        sqlx::query_scalar(sqlx::AssertSqlSafe(newest))
            .fetch_one(&mut self.connection)
            .await
            .unwrap()
    }
}

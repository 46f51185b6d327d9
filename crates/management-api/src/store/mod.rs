//! The store: node configs with their history, the agents' reports, and what is still to be delivered, in SQLite or
//! PostgreSQL with one set of queries (docs/adr/0012, docs/erd.md).
//!
//! Read in this order: [`upsert`] (how a batch is taken in), [`nodes`] (how it is read), [`changes`] (history and watch),
//! [`outbox`] and [`targets`] (deliveries), [`database`] (connections and locks), `migrations` (the schema).

mod backup;
pub mod changes;
pub(crate) mod content;
pub mod database;
mod error;
pub mod idempotency;
mod migrations;
pub mod nodes;
pub mod outbox;
pub mod providers;
mod prune;
mod remove;
pub mod reports;
mod sql;
pub mod targets;
pub mod upsert;

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use sqlx::Connection;

pub use database::{DatabaseSettings, Dialect};
pub use error::StoreError;

use database::Database;

/// What tells the time; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Whether an unknown cluster registers itself with its first node config.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Registration {
    /// It does.
    #[default]
    Automatic,
    /// It has to be registered before.
    Strict,
}

/// Everything that is kept.
#[derive(Clone)]
pub struct Store {
    database: Database,
    registration: Registration,
    clock: Clock,
}

impl Store {
    /// Prepares the connections. Nothing is connected before it is needed.
    pub fn new(settings: &DatabaseSettings, registration: Registration) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(settings)?,
            registration,
            clock: Arc::new(Timestamp::now),
        })
    }

    /// Takes the time from elsewhere.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Brings the schema up to date. Of several replicas on PostgreSQL one does it and the others wait.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self.database.owner().await?;
        let migrated = migrations::migrate(&mut connection, self.database.dialect).await;
        let closed = connection.close().await;
        migrated?;
        Ok(closed?)
    }

    /// Whether the database answers and its schema is the one that this program knows.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.database.read().await?;
        migrations::check(&mut connection).await
    }

    /// Which database it is.
    pub const fn dialect(&self) -> Dialect {
        self.database.dialect
    }

    /// Closes every connection, once it is idle.
    pub async fn close(&self) {
        self.database.close().await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("dialect", &self.database.dialect)
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}

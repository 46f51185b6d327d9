//! Connections: many readers, and writers that queue.

use std::{str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Any, AnyConnection, AnyPool, Connection, Executor, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
    pool::PoolConnection,
};

use super::{
    StoreError,
    sql::{Statement, bounded},
};

/// Which database; the few places where they differ ask this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// One file, one replica.
    Sqlite,
    /// Any number of replicas.
    Postgres,
}

/// How the database is reached.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `sqlite:///var/lib/multinic/api.db` or `postgres://user:password@host:port/name`.
    pub url: SecretString,
    /// The most connections that read; half as many more write (SQLite: one).
    pub connections: u32,
    /// How long a request waits for a connection or for the write lock.
    pub patience: Duration,
    /// The most that SQLite's file may take, in bytes; when it is full, writes are refused as on a full disk.
    pub max_size: Option<u64>,
}

/// How long an idle connection over a wire is believed to be alive, and how long it may take to say that it is.
const BELIEVED: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(2);

/// After this time a connection is made anew: addresses lead elsewhere one day.
const LIFETIME: Duration = Duration::from_mins(10);

/// What a reader of SQLite's file keeps of it for itself, in KiB.
const READER_CACHE: u32 = 256;

/// SQLite's page, in bytes.
const SQLITE_PAGE: u64 = 4_096;

impl DatabaseSettings {
    /// Everything but the address as it is by default: 8 connections, 5 s, no limit of size.
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            connections: 8,
            patience: Duration::from_secs(5),
            max_size: None,
        }
    }
}

/// The two ways into one database.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pub dialect: Dialect,
    readers: AnyPool,
    writers: AnyPool,
}

impl Database {
    /// Connects lazily: a database that is away now may be back for the first request.
    pub fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = settings.url.expose_secret();
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Self::sqlite(url, settings),
            Some("postgres" | "postgresql") => Self::postgres(url, settings),
            _ => Err(StoreError::Address {
                reason: "it begins with neither sqlite: nor postgres:",
            }),
        }
    }

    fn sqlite(url: &str, settings: &DatabaseSettings) -> Result<Self, StoreError> {
        if url.contains(":memory:") || url.contains('?') {
            return Err(StoreError::Address {
                reason: "expected sqlite:// and the path of a file, without parameters",
            });
        }
        let options = connect_options(&format!("{url}?mode=rwc"))?;
        let patience = settings.patience.as_millis();
        // FULL: an acknowledged write survives a power cut, not only a crash of this process.
        let writer = format!(
            "PRAGMA busy_timeout = {patience}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON"
        );
        // The system keeps the file's pages in memory already, once for all: each reader needs few of its own.
        let reader = format!("{writer}; PRAGMA query_only = ON; PRAGMA cache_size = -{READER_CACHE}");
        let writer = match settings.max_size {
            Some(bytes) => format!("{writer}; PRAGMA max_page_count = {}", bytes / SQLITE_PAGE),
            None => writer,
        };
        Ok(Self {
            dialect: Dialect::Sqlite,
            readers: pool(settings, settings.connections, reader).connect_lazy_with(options.clone()),
            writers: local(pool(settings, 1, writer)).connect_lazy_with(options),
        })
    }

    fn postgres(url: &str, settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let patience = settings.patience.as_millis();
        let options = connect_options(url)?;
        let writer = format!(
            "SET lock_timeout = {patience}; SET statement_timeout = {}",
            4 * patience
        );
        let reader = format!("{writer}; SET default_transaction_read_only = on");
        // Two pools: writers that wait for one another must not keep the readers waiting.
        let writers = settings.connections.div_ceil(2);
        Ok(Self {
            dialect: Dialect::Postgres,
            readers: remote(pool(settings, settings.connections, reader)).connect_lazy_with(options.clone()),
            writers: remote(pool(settings, writers, writer)).connect_lazy_with(options),
        })
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<PoolConnection<Any>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    /// A transaction that may write, and is alone in writing to `scope` until it ends.
    ///
    /// SQLite has one writer at a time anyway: the queue is the pool of one connection, and IMMEDIATE takes the lock at
    /// once, so that nothing read here can be overtaken. PostgreSQL takes an advisory lock that ends with the transaction.
    pub async fn write(&self, scope: &str) -> Result<Transaction<'static, Any>, StoreError> {
        match self.dialect {
            Dialect::Sqlite => Ok(self.writers.begin_with("BEGIN IMMEDIATE").await?),
            Dialect::Postgres => {
                let mut transaction = bounded(true, self.writers.begin()).await?;
                Statement::new("SELECT pg_advisory_xact_lock(hashtextextended(")
                    .value(scope)
                    .text(", 0))")
                    .execute(&mut transaction)
                    .await?;
                Ok(transaction)
            }
        }
    }

    /// A connection that may change the schema, however long it takes; it is closed afterwards.
    pub async fn owner(&self) -> Result<AnyConnection, StoreError> {
        let mut connection = self.writers.acquire().await?.detach();
        if self.dialect == Dialect::Postgres {
            let unlimited = "SET lock_timeout = 0; SET statement_timeout = 0";
            connection.execute(unlimited).await?;
        }
        Ok(connection)
    }

    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

fn connect_options(url: &str) -> Result<AnyConnectOptions, StoreError> {
    AnyConnectOptions::from_str(url).map_err(|_| StoreError::Address {
        reason: "it is not the address of a database",
    })
}

fn pool(settings: &DatabaseSettings, connections: u32, session: String) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections.max(1))
        .acquire_timeout(settings.patience)
        .test_before_acquire(false)
        .after_connect(move |connection: &mut AnyConnection, _| {
            let session = session.clone();
            Box::pin(async move {
                connection.execute(sqlx::AssertSqlSafe(session)).await?;
                if connection.backend_name() == "PostgreSQL" {
                    be_primary(connection).await?;
                }
                Ok(())
            })
        })
}

/// SQLite ends a transaction by itself when the disk is full. `sqlx` does not notice, and would take every later one for a
/// part of it; so such a connection is not used again.
fn local(pool: AnyPoolOptions) -> AnyPoolOptions {
    pool.after_release(|connection, _| {
        Box::pin(async move {
            // Behind what is still to be rolled back.
            connection.ping().await?;
            Ok(!connection.is_in_transaction())
        })
    })
}

/// A server at the other end of a wire can go away without a word: then nothing may wait for it, or be left to it.
///
/// A connection that was used a moment ago is believed in; what it breaks is answered with 503. One that went back in the
/// middle of a statement is heard first, or closed: sqlx alone would wait for it for as long as TCP does.
fn remote(pool: AnyPoolOptions) -> AnyPoolOptions {
    pool.max_lifetime(LIFETIME)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > BELIEVED {
                    hear(connection).await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                hear(connection).await?;
                Ok(true)
            })
        })
}

async fn hear(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let heard = tokio::time::timeout(ANSWER, connection.ping()).await;
    heard.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
}

/// A standby would refuse writes and may be behind with what is read.
async fn be_primary(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let standby = "SELECT CAST(CAST(pg_is_in_recovery() AS INTEGER) AS BIGINT)";
    let standby: i64 = sqlx::query_scalar(standby).fetch_one(connection).await?;
    match standby {
        0 => Ok(()),
        _ => Err(sqlx::Error::Protocol("the server is a standby".to_owned())),
    }
}

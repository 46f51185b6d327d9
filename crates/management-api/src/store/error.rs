//! What can go wrong in the store, told apart by what the caller can do about it.

use multinic_model::{ClusterId, NodeName};
use sqlx::error::DatabaseError;
use strum::IntoStaticStr;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum StoreError {
    /// The address of the database is of no use.
    #[error("failed to use the database address: {reason}")]
    Address {
        /// What is wrong with it; never the address itself, which may hold a password.
        reason: &'static str,
    },
    /// The database cannot be reached, is shutting down, or answers too late. Asking again later may help.
    #[error("failed to reach the database")]
    Unavailable(#[source] sqlx::Error),
    /// Another writer was in the way for too long. Asking again helps.
    #[error("failed to get the database's write lock in time")]
    Busy(#[source] sqlx::Error),
    /// No space is left on the database's disk. Nothing was changed.
    #[error("failed to write: the database's disk is full")]
    Full(#[source] sqlx::Error),
    /// Anything else that the database refused.
    #[error("failed to run a statement")]
    Statement(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("failed to migrate the database's schema")]
    Migrate(#[source] Box<sqlx::migrate::MigrateError>),
    /// The schema is not the one this program knows.
    #[error("failed to accept the database's schema: it is at version {found}, this program needs {needed}")]
    Schema {
        /// The newest migration that was applied.
        found: i64,
        /// The newest that is known here.
        needed: i64,
    },
    /// A stored value that no version of this program wrote.
    #[error("failed to read back the {what} of {row}: {reason}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Where it is stored.
        row: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// The cluster is not registered, and does not register itself.
    #[error("failed to find the provider {0}: it is not registered")]
    UnknownProvider(ClusterId),
    /// A cluster that still has nodes.
    #[error("failed to delete the provider {provider}: it still has {nodes} nodes")]
    ProviderInUse {
        /// Which.
        provider: ClusterId,
        /// How many nodes it has.
        nodes: u64,
    },
    /// A node that is not there.
    #[error("failed to find the node {node} of the provider {provider}")]
    UnknownNode {
        /// Of which cluster.
        provider: ClusterId,
        /// Its name.
        node: NodeName,
    },
    /// A database that brings its own tool for backups.
    #[error("failed to copy the database: PostgreSQL is copied with pg_dump")]
    NoBackup,
    /// The copy cannot be written there.
    #[error("failed to copy the database: {path} is there already or its name is not UTF-8")]
    BackupPath {
        /// Where it was to be.
        path: std::path::PathBuf,
    },
    /// An Idempotency-Key that came with another request before.
    #[error("failed to accept the Idempotency-Key: it was used for another request")]
    KeyReused,
}

impl StoreError {
    /// A bounded name for metrics.
    pub fn category(&self) -> &'static str {
        self.into()
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let class = match &error {
            sqlx::Error::Database(database) => database_class(database.as_ref()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Class::Unavailable,
            _ => Class::Statement,
        };
        match class {
            Class::Unavailable => Self::Unavailable(error),
            Class::Busy => Self::Busy(error),
            Class::Full => Self::Full(error),
            Class::Statement => Self::Statement(error),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Unavailable,
    Busy,
    Full,
    Statement,
}

fn database_class(error: &dyn DatabaseError) -> Class {
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        // SQLSTATEs of five digits exist (`23505`); SQLite's extended codes stay below.
        Ok(code) if code < 10_000 => sqlite_class(code),
        _ => postgres_class(&code),
    }
}

/// <https://www.sqlite.org/rescode.html>: the low byte is the primary code.
fn sqlite_class(code: u32) -> Class {
    match code & 0xff {
        5 | 6 => Class::Busy,
        13 => Class::Full,
        8 | 10 | 14 => Class::Unavailable,
        _ => Class::Statement,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres_class(code: &str) -> Class {
    match code {
        "53100" => Class::Full,
        "40001" | "40P01" | "55P03" | "57014" => Class::Busy,
        // 25006: a replica that was promoted away from under us takes no writes.
        "25006" => Class::Unavailable,
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => Class::Unavailable,
        _ => Class::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_by_what_helps() {
        assert_eq!(sqlite_class(5 | (1 << 8)), Class::Busy); // SQLITE_BUSY_RECOVERY
        assert_eq!(sqlite_class(13), Class::Full);
        assert_eq!(sqlite_class(778), Class::Unavailable); // SQLITE_IOERR_WRITE
        assert_eq!(sqlite_class(2067), Class::Statement); // SQLITE_CONSTRAINT_UNIQUE
        assert_eq!(postgres_class("53100"), Class::Full);
        assert_eq!(postgres_class("53300"), Class::Unavailable); // too many connections
        assert_eq!(postgres_class("57P01"), Class::Unavailable); // the server shuts down
        assert_eq!(postgres_class("40P01"), Class::Busy);
        assert_eq!(postgres_class("23505"), Class::Statement);
    }
}

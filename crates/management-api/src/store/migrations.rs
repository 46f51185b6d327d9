//! The schema: embedded, applied at start, alone on PostgreSQL (an advisory lock), one source for both databases.

use sqlx::{
    AnyConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{
    StoreError,
    database::Dialect,
    sql::{Statement, number},
};

const FILES: [(i64, &str, &str); 1] = [(
    1,
    "node configs",
    include_str!("../../migrations/0001_node_configs.sql"),
)];

/// The newest version known here.
pub(super) const NEWEST: i64 = FILES[FILES.len() - 1].0;

/// Names are sorted and compared byte by byte on both databases: SQLite does so by itself, PostgreSQL by its locale.
const POSTGRES_TEXT: &str = " TEXT COLLATE \"C\"";

pub(super) async fn migrate(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    let migrated = migrator(dialect).run_direct(None, connection, false).await;
    migrated.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
            StoreError::from(error)
        }
        error => StoreError::Migrate(Box::new(error)),
    })
}

/// Whether the schema is the one this program knows.
pub(super) async fn check(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let statement = Statement::new("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) AS version FROM _sqlx_migrations");
    let found = match statement.optional(connection).await? {
        Some(row) => number(&row, "version")?,
        None => 0,
    };
    if found == NEWEST {
        Ok(())
    } else {
        Err(StoreError::Schema { found, needed: NEWEST })
    }
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = FILES.into_iter().map(|(version, description, sql)| {
        let sql = match dialect {
            Dialect::Sqlite => sql.to_owned(),
            Dialect::Postgres => sql.replace(" TEXT", POSTGRES_TEXT),
        };
        let sql = sqlx::AssertSqlSafe(sql).into_sql_str();
        Migration::new(version, description.into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

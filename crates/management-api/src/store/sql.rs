//! Statements with placeholders, and lists of values in few of them.
//!
//! The text is put together with `?`, as SQLite wants it; PostgreSQL gets `$1`, `$2`, … SQLite would take those, too, but
//! as names, and looks for each name among all earlier ones.

use std::time::Duration;

use sqlx::{
    Any, AnyConnection, AssertSqlSafe, Row, Transaction,
    any::{AnyArguments, AnyQueryResult, AnyRow},
    query::Query,
};

use super::StoreError;

/// The most values of one statement: SQLite takes 32,766, PostgreSQL 65,535; shorter statements are planned faster.
const MAX_VALUES: usize = 8_000;

/// A value of one of the two types that the schema uses.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    NoNumber,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NoNumber, Self::Number)
    }
}

/// A statement being put together. Text comes from this crate's sources only; foreign values become placeholders.
#[derive(Debug, Default)]
pub(super) struct Statement {
    text: String,
    values: Vec<Value>,
}

impl Statement {
    pub fn new(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    /// Adds text.
    pub fn text(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder for a value.
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.push(value.into());
        self
    }

    /// Adds `(?, ?, …)`.
    pub fn list(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.push_list(values);
        self
    }

    /// Adds `(?, ?), (?, ?), …`.
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.push_list(row);
        }
        self
    }

    fn push_list(&mut self, values: impl IntoIterator<Item = Value>) {
        self.text.push('(');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.push(value);
        }
        self.text.push(')');
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.text.push('?');
    }

    fn query(self, connection: &AnyConnection) -> Query<'static, Any, AnyArguments> {
        let text = match connection.backend_name() {
            "PostgreSQL" => numbered(&self.text),
            _ => self.text,
        };
        // A statement with a list is as long as its list: keeping it prepared would fill the cache with strangers.
        let persistent = self.values.len() <= 16;
        let query = sqlx::query(AssertSqlSafe(text)).persistent(persistent);
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),

            Value::NoNumber => query.bind(None::<i64>),
        })
    }

    pub async fn execute(self, connection: &mut AnyConnection) -> Result<AnyQueryResult, StoreError> {
        let is_remote = is_remote(connection);
        bounded(is_remote, self.query(connection).execute(connection)).await
    }

    pub async fn all(self, connection: &mut AnyConnection) -> Result<Vec<AnyRow>, StoreError> {
        let is_remote = is_remote(connection);
        bounded(is_remote, self.query(connection).fetch_all(connection)).await
    }

    pub async fn optional(self, connection: &mut AnyConnection) -> Result<Option<AnyRow>, StoreError> {
        let is_remote = is_remote(connection);
        bounded(is_remote, self.query(connection).fetch_optional(connection)).await
    }
}

/// The server gives up long before (`statement_timeout`) and says so; one that says nothing is gone.
const SILENCE: Duration = Duration::from_secs(30);

fn is_remote(connection: &AnyConnection) -> bool {
    connection.backend_name() == "PostgreSQL"
}

/// Waits for what is asked of a database, but not for good if it is at the other end of a wire.
pub(super) async fn bounded<T>(
    is_remote: bool,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    if !is_remote {
        return Ok(asked.await?);
    }
    match tokio::time::timeout(SILENCE, asked).await {
        Ok(answer) => Ok(answer?),
        Err(late) => Err(StoreError::Unavailable(sqlx::Error::Io(late.into()))),
    }
}

/// Makes what was written last. After an error nothing is known: it may have been.
pub(super) async fn commit(transaction: Transaction<'static, Any>) -> Result<(), StoreError> {
    let is_remote = is_remote(&transaction);
    bounded(is_remote, transaction.commit()).await
}

/// Numbers the placeholders. No text of this crate has a question mark of its own.
fn numbered(text: &str) -> String {
    let mut parts = text.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.enumerate().fold(first, |mut text, (index, part)| {
        text.push('$');
        text.push_str(&(index + 1).to_string());
        text.push_str(part);
        text
    })
}

/// Cuts rows of `width` values into statements' worth of them.
pub(super) fn chunks<T>(rows: &[T], width: usize) -> std::slice::Chunks<'_, T> {
    rows.chunks((MAX_VALUES / width.max(1)).max(1))
}

/// A text column.
pub(super) fn text(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

/// A number column.
pub(super) fn number(row: &AnyRow, column: &str) -> Result<i64, StoreError> {
    Ok(row.try_get(column)?)
}

/// A text column that may be empty.
pub(super) fn maybe_text(row: &AnyRow, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}

/// A number column that may be empty.
pub(super) fn maybe_number(row: &AnyRow, column: &str) -> Result<Option<i64>, StoreError> {
    Ok(row.try_get(column)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through() {
        let statement = Statement::new("SELECT 1 WHERE a = ")
            .value("x")
            .text(" AND b IN ")
            .list([Value::from(1), Value::from(2)])
            .text(" OR (c, d) IN (VALUES ")
            .rows([vec![Value::from("y"), Value::NoNumber]])
            .text(")");
        assert_eq!(
            numbered(&statement.text),
            "SELECT 1 WHERE a = $1 AND b IN ($2, $3) OR (c, d) IN (VALUES ($4, $5))"
        );
        assert_eq!(statement.values.len(), 5);
    }
}

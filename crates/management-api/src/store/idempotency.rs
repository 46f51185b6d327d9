//! Idempotency keys: what a request with a key was answered, kept in the transaction that it caused.
//!
//! A repetition waits for the first at the cluster's write lock and then finds its answer, so there is no "in progress".

use jiff::Timestamp;
use multinic_model::ClusterId;
use sqlx::AnyConnection;

use super::{
    StoreError,
    content::damaged,
    sql::{Statement, Value, number, text},
};

/// A request's key together with what the request was: both as digests, so that neither is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey {
    /// Of the key.
    pub key_digest: String,
    /// Of the request's body.
    pub request_digest: String,
}

/// An answer as it goes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

pub(super) async fn find(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    caller: &str,
    key: &IdempotencyKey,
) -> Result<Option<Answer>, StoreError> {
    let row = Statement::new("SELECT request_digest, status, answer FROM idempotency_keys WHERE provider_id = ")
        .value(cluster.as_str())
        .text(" AND caller = ")
        .value(caller)
        .text(" AND key_digest = ")
        .value(key.key_digest.as_str())
        .optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    if text(&row, "request_digest")? != key.request_digest {
        return Err(StoreError::KeyReused);
    }
    let status = number(&row, "status")?;
    Ok(Some(Answer {
        status: u16::try_from(status).map_err(|error| damaged("status", &key.key_digest, &error))?,
        body: text(&row, "answer")?,
    }))
}

pub(super) async fn keep(
    connection: &mut AnyConnection,
    (cluster, caller, key): (&ClusterId, &str, &IdempotencyKey),
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row: [Value; 7] = [
        cluster.as_str().into(),
        caller.into(),
        key.key_digest.as_str().into(),
        key.request_digest.as_str().into(),
        i64::from(answer.status).into(),
        answer.body.as_str().into(),
        now.as_microsecond().into(),
    ];
    Statement::new(
        "INSERT INTO idempotency_keys (provider_id, caller, key_digest, request_digest, status, answer, created_at) \
         VALUES ",
    )
    .list(row)
    .execute(connection)
    .await?;
    Ok(())
}

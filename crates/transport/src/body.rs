//! Bodies with an upper bound.

use bytes::{Bytes, BytesMut};

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke or timed out.
    #[error("failed to read the body")]
    Read(#[source] reqwest::Error),
    /// The server sent more than anybody should.
    #[error("failed to accept the body: it is longer than {max} bytes")]
    TooLong {
        /// The bound in bytes.
        max: usize,
    },
}

/// Reads a body of at most `max` bytes; stops reading at the bound whatever `Content-Length` says.
pub async fn read_body(mut response: reqwest::Response, max: usize) -> Result<Bytes, BodyError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Read)? {
        if body.len() + chunk.len() > max {
            return Err(BodyError::TooLong { max });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

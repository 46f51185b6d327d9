//! One answer before it is written.

use http::StatusCode;
use serde_json::Value;

/// Status, headers and body; framing is added when it is written.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub status: u16,
    /// Without framing (`Content-Length`, `Connection`), which the connection adds. A name may occur twice.
    pub headers: Vec<(&'static str, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// An answer with a body of that type.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The head up to and including the empty line.
    pub(super) fn head(&self, framing: &[(&str, String)]) -> Vec<u8> {
        let reason = StatusCode::from_u16(self.status)
            .ok()
            .and_then(|code| code.canonical_reason())
            .unwrap_or("Unknown");
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status);
        let own = self.headers.iter().map(|(name, value)| (*name, value));
        for (name, value) in own.chain(framing.iter().map(|(name, value)| (*name, value))) {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

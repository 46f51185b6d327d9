//! A password as Contrabass gives it: encrypted, and still nothing to print.

use std::fmt;

/// Base64 text of an envelope. Its `Debug` shows only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedText(String);

impl EncryptedText {
    /// Wraps the text as it came; [`EnvelopeSettings::open`](crate::EnvelopeSettings::open) checks it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EncryptedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[encrypted]")
    }
}

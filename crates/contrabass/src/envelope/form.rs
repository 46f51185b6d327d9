//! From Base64 text to one of the two forms. Nothing here depends on a key.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::EnvelopeError;

/// The block of AES in bytes.
pub(super) const BLOCK: usize = 16;

const MAGIC: &[u8] = b"Salted__";

/// The longest text accepted, in characters. A password's envelope takes some dozens.
const MAX_TEXT: usize = 64 * 1024;

/// CryptoJS pads, some tools do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A decoded envelope; the ciphertext is whole blocks, at least one.
#[derive(Debug, PartialEq)]
pub(super) enum Form {
    /// Key and IV come from a passphrase and the salt.
    Salted { salt: [u8; 8], ciphertext: Vec<u8> },
    /// The key is raw.
    Raw { iv: [u8; BLOCK], ciphertext: Vec<u8> },
}

impl Form {
    /// White space is skipped: `openssl enc -base64` breaks its lines.
    pub(super) fn parse(text: &str) -> Result<Self, EnvelopeError> {
        if text.len() > MAX_TEXT {
            return Err(EnvelopeError::Length {
                found: text.len() / 4 * 3,
            });
        }
        let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let bytes = BASE64.decode(text).map_err(|_| EnvelopeError::NotBase64)?;
        Self::from_bytes(&bytes).ok_or(EnvelopeError::Length { found: bytes.len() })
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if let Some(rest) = bytes.strip_prefix(MAGIC) {
            let (salt, ciphertext) = rest.split_first_chunk()?;
            return Some(Self::Salted {
                salt: *salt,
                ciphertext: blocks(ciphertext)?,
            });
        }
        let (iv, ciphertext) = bytes.split_first_chunk()?;
        Some(Self::Raw {
            iv: *iv,
            ciphertext: blocks(ciphertext)?,
        })
    }
}

fn blocks(ciphertext: &[u8]) -> Option<Vec<u8>> {
    (!ciphertext.is_empty() && ciphertext.len().is_multiple_of(BLOCK)).then(|| ciphertext.to_vec())
}

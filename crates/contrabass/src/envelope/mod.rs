//! The password envelope: AES-CBC with PKCS#7 padding in Base64 (contract 3.2).
//!
//! Two forms exist and are told apart by their first bytes ([`form`]): `Salted__`, an 8-byte salt and the ciphertext, as
//! `openssl enc` and CryptoJS write it; or a 16-byte IV and the ciphertext under a raw 16-byte key. Which cipher and
//! which derivation made a salted one is not written in it, so every [`scheme`] that the settings allow is tried
//! ([`derive`], [`decrypt`]) and the result is taken only if exactly one fits.
//!
//! CBC without authentication invites oracles. Therefore all schemes are always tried to the end, the padding check does
//! not branch on the plaintext, and whatever does not fit ends in the one error [`EnvelopeError::Unopened`].

mod decrypt;
mod derive;
mod form;
mod scheme;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use strum::IntoStaticStr;

use self::{decrypt::Trial, form::Form};
use crate::EncryptedText;
pub use scheme::{BlockCipher, Cipher, Derivation, Digest, Scheme};

/// How passwords are opened.
#[derive(Clone, Debug)]
pub struct EnvelopeSettings {
    /// The cipher; both are tried by default.
    pub cipher: Cipher,
    /// The derivation of key and IV from the passphrase; both digests are tried by default. A raw envelope has none.
    pub digest: Digest,
    /// The passphrase of salted envelopes, or the key of raw ones: 16 characters, 32 hex digits, or the Base64 text of
    /// 16 bytes. One line break at its end is dropped, as `openssl enc -pass file:` does.
    pub key: SecretString,
}

/// An opened envelope.
pub struct Opened {
    /// The password.
    pub text: SecretString,
    /// What opened it; worth a log line.
    pub scheme: Scheme,
}

/// Why an envelope stays closed. No variant depends on the plaintext but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EnvelopeError {
    /// The setting is empty.
    #[error("failed to open the encrypted password: the encryption key is empty")]
    NoKey,
    /// The text is no Base64.
    #[error("failed to open the encrypted password: it is not Base64")]
    NotBase64,
    /// Header and whole blocks of 16 bytes, at least one, were expected.
    #[error("failed to open the encrypted password: {found} bytes are neither of its two forms")]
    Length {
        /// The length of the decoded text in bytes.
        found: usize,
    },
    /// The envelope is raw, the key is not.
    #[error(
        "failed to open the encrypted password: it has no salt, so the key must be raw: 16 characters, 32 hex digits or \
         the Base64 text of 16 bytes"
    )]
    RawKey,
    /// The envelope is raw, the settings ask for AES-256.
    #[error("failed to open the encrypted password: it has no salt, which is only known with aes-128-cbc")]
    RawCipher,
    /// Wrong key, cipher, digest or padding, or damage: deliberately not told apart.
    #[error(
        "failed to open the encrypted password: the key, the cipher or the digest is wrong, or the text is damaged"
    )]
    Unopened,
}

impl EnvelopeSettings {
    /// With everything found out by trying.
    pub const fn new(key: SecretString) -> Self {
        Self {
            cipher: Cipher::Auto,
            digest: Digest::Auto,
            key,
        }
    }

    /// Opens an envelope. One line break at the end of the password is dropped (`echo … | openssl enc` leaves one).
    ///
    /// Takes microseconds, with PBKDF2 as long as its iterations ask for.
    pub fn open(&self, text: &EncryptedText) -> Result<Opened, EnvelopeError> {
        let key = without_line_break(self.key.expose_secret()).as_bytes();
        if key.is_empty() {
            return Err(EnvelopeError::NoKey);
        }
        let trials = match Form::parse(text.as_str())? {
            Form::Salted { salt, ciphertext } => self.salted_trials(key, &salt, &ciphertext),
            Form::Raw { iv, ciphertext } => vec![self.raw_trial(key, &iv, &ciphertext)?],
        };
        the_only_fit(trials).ok_or(EnvelopeError::Unopened)
    }

    fn salted_trials(&self, passphrase: &[u8], salt: &[u8], ciphertext: &[u8]) -> Vec<Trial> {
        let mut trials = Vec::new();
        for derivation in self.digest.derivations() {
            let material = derive::derive(derivation, passphrase, salt);
            for &cipher in self.cipher.candidates() {
                let (key, iv) = material.split(cipher);
                trials.push(Trial::new(Scheme { cipher, derivation }, key, iv, ciphertext));
            }
        }
        trials
    }

    fn raw_trial(&self, key: &[u8], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Trial, EnvelopeError> {
        if !self.cipher.candidates().contains(&BlockCipher::Aes128Cbc) {
            return Err(EnvelopeError::RawCipher);
        }
        let key = derive::raw_key(key).ok_or(EnvelopeError::RawKey)?;
        let scheme = Scheme {
            cipher: BlockCipher::Aes128Cbc,
            derivation: Derivation::RawKey,
        };
        Ok(Trial::new(scheme, key.as_slice(), iv, ciphertext))
    }
}

/// Two fits are as bad as none: one of them is chance, and nothing says which.
fn the_only_fit(trials: Vec<Trial>) -> Option<Opened> {
    let mut fits: Vec<Opened> = trials.into_iter().filter_map(Trial::into_opened).collect();
    match fits.len() {
        1 => fits.pop(),
        _ => None,
    }
}

fn without_line_break(text: &str) -> &str {
    text.strip_suffix("\r\n")
        .or_else(|| text.strip_suffix('\n'))
        .unwrap_or(text)
}

impl EnvelopeError {
    /// A bounded name of the kind of failure, for metrics and conditions.
    pub fn category(self) -> &'static str {
        self.into()
    }

    /// What to do about it, as one line.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NoKey | Self::RawKey => "correct contrabass.password.key",
            Self::NotBase64 | Self::Length { .. } => "correct the provider's entry in Contrabass",
            Self::RawCipher => "set contrabass.password.cipher to auto or aes-128-cbc",
            Self::Unopened => {
                "check contrabass.password.key; if it is right, set contrabass.password.cipher and digest to what encrypted \
                 the password (pbkdf2-sha256 is never tried by itself)"
            }
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("scheme", &format_args!("{}", self.scheme))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

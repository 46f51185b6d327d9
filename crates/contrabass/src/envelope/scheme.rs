//! What the settings allow, and what was found.

use std::{fmt, num::NonZeroU32};

/// The setting `cipher`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cipher {
    /// Both are tried.
    #[default]
    Auto,
    /// `aes-128-cbc`.
    Aes128Cbc,
    /// `aes-256-cbc`: what CryptoJS uses with a passphrase.
    Aes256Cbc,
}

/// The setting `digest`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Digest {
    /// `EVP_BytesToKey` over MD5 and over SHA-256 are tried.
    #[default]
    Auto,
    /// `EVP_BytesToKey` over MD5: CryptoJS, OpenSSL before 1.1.
    Md5,
    /// `EVP_BytesToKey` over SHA-256: OpenSSL since 1.1.
    Sha256,
    /// PBKDF2 with HMAC-SHA-256: `openssl enc -pbkdf2`. Never tried by itself, as the iterations are not in the envelope.
    Pbkdf2Sha256 {
        /// `-iter`; OpenSSL's default is 10,000.
        iterations: NonZeroU32,
    },
}

/// The ciphers that are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockCipher {
    /// A 16-byte key.
    Aes128Cbc,
    /// A 32-byte key.
    Aes256Cbc,
}

/// The ways from the configured key to the cipher's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Derivation {
    /// None: it is the key.
    RawKey,
    /// `EVP_BytesToKey`, one iteration of MD5.
    Md5,
    /// `EVP_BytesToKey`, one iteration of SHA-256.
    Sha256,
    /// PBKDF2 with HMAC-SHA-256.
    Pbkdf2Sha256 {
        /// How many.
        iterations: NonZeroU32,
    },
}

/// How an envelope was made: prints as `aes-256-cbc + md5`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scheme {
    /// The cipher.
    pub cipher: BlockCipher,
    /// The way to its key.
    pub derivation: Derivation,
}

impl Cipher {
    pub(super) const fn candidates(self) -> &'static [BlockCipher] {
        match self {
            Self::Auto => &[BlockCipher::Aes128Cbc, BlockCipher::Aes256Cbc],
            Self::Aes128Cbc => &[BlockCipher::Aes128Cbc],
            Self::Aes256Cbc => &[BlockCipher::Aes256Cbc],
        }
    }
}

impl Digest {
    /// The iterations of `openssl enc -pbkdf2` without `-iter`.
    pub const DEFAULT_ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);

    pub(super) fn derivations(self) -> Vec<Derivation> {
        match self {
            Self::Auto => vec![Derivation::Md5, Derivation::Sha256],
            Self::Md5 => vec![Derivation::Md5],
            Self::Sha256 => vec![Derivation::Sha256],
            Self::Pbkdf2Sha256 { iterations } => vec![Derivation::Pbkdf2Sha256 { iterations }],
        }
    }
}

impl BlockCipher {
    /// The length of its key in bytes.
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes256Cbc => 32,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cipher = match self.cipher {
            BlockCipher::Aes128Cbc => "aes-128-cbc",
            BlockCipher::Aes256Cbc => "aes-256-cbc",
        };
        match self.derivation {
            Derivation::RawKey => write!(f, "{cipher} + raw key"),
            Derivation::Md5 => write!(f, "{cipher} + md5"),
            Derivation::Sha256 => write!(f, "{cipher} + sha256"),
            Derivation::Pbkdf2Sha256 { iterations } => write!(f, "{cipher} + pbkdf2-sha256 ({iterations} iterations)"),
        }
    }
}

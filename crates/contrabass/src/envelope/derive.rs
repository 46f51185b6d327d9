//! From the configured key to the cipher's key and IV. Everything derived is wiped when dropped.

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::Md5;
use sha2::{Digest, Sha256, digest::Output};
use zeroize::{Zeroize, Zeroizing};

use super::{
    form::BLOCK,
    scheme::{BlockCipher, Derivation},
};

/// The longest key and the IV behind it.
const MATERIAL: usize = 32 + BLOCK;

/// Key and IV in one row, as OpenSSL derives them. The bytes for a shorter key are the beginning of those for a longer one.
pub(super) struct Material(Zeroizing<[u8; MATERIAL]>);

impl Material {
    /// Key and IV for one cipher.
    pub(super) fn split(&self, cipher: BlockCipher) -> (&[u8], &[u8]) {
        let (key, rest) = self.0.split_at(cipher.key_len());
        (key, rest.split_at(BLOCK).0)
    }
}

/// Derives the material of a salted envelope; a raw key has none, it is all zeros.
pub(super) fn derive(derivation: Derivation, passphrase: &[u8], salt: &[u8]) -> Material {
    let mut material = Zeroizing::new([0; MATERIAL]);
    match derivation {
        Derivation::Md5 => evp_bytes_to_key::<Md5>(passphrase, salt, &mut *material),
        Derivation::Sha256 => evp_bytes_to_key::<Sha256>(passphrase, salt, &mut *material),
        Derivation::Pbkdf2Sha256 { iterations } => {
            pbkdf2::pbkdf2_hmac::<Sha256>(passphrase, salt, iterations.get(), &mut *material);
        }
        Derivation::RawKey => {}
    }
    Material(material)
}

/// OpenSSL's `EVP_BytesToKey` with one iteration: each block is the digest of the block before, the passphrase and the salt.
fn evp_bytes_to_key<D: Digest>(passphrase: &[u8], salt: &[u8], material: &mut [u8]) {
    let mut block = Output::<D>::default();
    for (index, part) in material.chunks_mut(block.len()).enumerate() {
        let mut digest = D::new();
        if index > 0 {
            digest.update(&block);
        }
        digest.update(passphrase);
        digest.update(salt);
        digest.finalize_into(&mut block);
        part.copy_from_slice(&block[..part.len()]);
    }
    block.as_mut_slice().zeroize();
}

/// The 16 bytes of a raw key: 16 characters are taken as they are, 32 hex digits and 24 characters of Base64 are
/// decoded. The lengths differ, so that no text has two readings.
pub(super) fn raw_key(text: &[u8]) -> Option<Zeroizing<[u8; 16]>> {
    let mut key = Zeroizing::new([0; 16]);
    match text.len() {
        16 => key.copy_from_slice(text),
        32 => {
            for (byte, digits) in key.iter_mut().zip(text.chunks_exact(2)) {
                *byte = hex(digits[0])? << 4 | hex(digits[1])?;
            }
        }
        24 => {
            let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).ok()?);
            *key = bytes.as_slice().try_into().ok()?;
        }
        _ => return None,
    }
    Some(key)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

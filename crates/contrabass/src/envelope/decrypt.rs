//! One trial: decrypt, check the padding, check the text. The same work whatever the plaintext is.

use aes::{Aes128, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding},
};
use secrecy::SecretString;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

use super::{Opened, Scheme, form::BLOCK, scheme::BlockCipher, without_line_break};

/// A decrypted candidate with the verdict on it.
pub(super) struct Trial {
    scheme: Scheme,
    plain: Zeroizing<Vec<u8>>,
    /// How many bytes of `plain` are text; all of them if the padding is wrong.
    len: usize,
    fits: Choice,
}

impl Trial {
    /// Decrypts `ciphertext`, which is whole blocks, and judges the result without an early exit.
    pub(super) fn new(scheme: Scheme, key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Self {
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        let decrypted = match scheme.cipher {
            BlockCipher::Aes128Cbc => decrypt::<Decryptor<Aes128>>(key, iv, &mut plain),
            BlockCipher::Aes256Cbc => decrypt::<Decryptor<Aes256>>(key, iv, &mut plain),
        };
        let (padded, padding) = padding(&plain);
        let len = plain.len() - usize::from(padding);
        let fits = decrypted & padded & is_text(&plain[..len]);
        Self {
            scheme,
            plain,
            len,
            fits,
        }
    }

    /// The password, if the trial fits.
    pub(super) fn into_opened(self) -> Option<Opened> {
        if !bool::from(self.fits) {
            return None;
        }
        let text = std::str::from_utf8(&self.plain[..self.len]).ok()?;
        // A box of the right size: growing or shrinking would leave copies behind.
        let text = SecretString::new(Box::from(without_line_break(text)));
        Some(Opened {
            text,
            scheme: self.scheme,
        })
    }
}

/// False only if a length is wrong, which no caller lets happen.
fn decrypt<D: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], blocks: &mut [u8]) -> Choice {
    let done = D::new_from_slices(key, iv).is_ok_and(|cipher| cipher.decrypt_padded::<NoPadding>(blocks).is_ok());
    Choice::from(u8::from(done))
}

/// Whether the last block ends in PKCS#7 padding, and its length; 0 if it does not.
fn padding(plain: &[u8]) -> (Choice, u8) {
    let Some(last) = plain.last_chunk::<BLOCK>() else {
        return (Choice::from(0), 0);
    };
    let padding = last[BLOCK - 1];
    let mut valid = !padding.ct_eq(&0) & !padding.ct_gt(&16);
    for (behind, byte) in (1_u8..).zip(last.iter().rev()) {
        valid &= behind.ct_gt(&padding) | byte.ct_eq(&padding);
    }
    (valid, u8::conditional_select(&0, &padding, valid))
}

/// UTF-8 without control characters, one line break at the end allowed; reads to the end in any case.
fn is_text(bytes: &[u8]) -> Choice {
    let without_break = bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n"));
    let bytes = without_break.unwrap_or(bytes);
    let odd = bytes.utf8_chunks().fold(0_usize, |odd, chunk| {
        odd + chunk.invalid().len() + chunk.valid().chars().filter(|c| c.is_control()).count()
    });
    Choice::from(u8::from(odd == 0))
}

#[cfg(test)]
mod tests {
    use cbc::cipher::block_padding::{Padding, Pkcs7};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_padding_is_that_of_pkcs7(
            mut block in prop::array::uniform16(any::<u8>()),
            end in 0_u8..=20,
            count in 0_usize..=16,
        ) {
            block[16 - count..].fill(end);
            let expected = Pkcs7::unpad::<cbc::cipher::consts::U16>(&block.into()).ok().map(|text| 16 - text.len());
            let (valid, len) = padding(&block);
            prop_assert_eq!(bool::from(valid).then_some(usize::from(len)), expected);
            prop_assert!(bool::from(valid) || len == 0);
        }
    }

    #[test]
    fn a_text_is_printable_with_one_line_break_at_its_end_at_most() {
        for good in ["", "x", "pass word", "비밀번호", "pw\n", "pw\r\n"] {
            assert!(bool::from(is_text(good.as_bytes())), "{good:?}");
        }
        for bad in ["pw\r", "pw\n\n", "p\nw", "\tpw", "pw\u{7f}", "p\0w", "\u{85}"] {
            assert!(!bool::from(is_text(bad.as_bytes())), "{bad:?}");
        }
        for bad in [&b"\xff"[..], b"pw\xc3", b"\xed\xa0\x80"] {
            assert!(!bool::from(is_text(bad)), "{bad:?}");
        }
    }
}

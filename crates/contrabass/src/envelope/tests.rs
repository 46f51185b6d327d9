use proptest::prelude::*;

use super::*;

fn settings(key: &str) -> EnvelopeSettings {
    EnvelopeSettings::new(key.into())
}

/// A fixture of `openssl enc -aes-128-cbc -md sha256` under "a shared passphrase".
const ENVELOPE: &str = "U2FsdGVkX182CRWKp0CEcOl487YsbDo2AqdRMX7ZWfw=";

fn error(settings: &EnvelopeSettings, text: &str) -> EnvelopeError {
    settings.open(&EncryptedText::new(text)).unwrap_err()
}

#[test]
fn what_is_no_envelope_is_named_without_a_key() {
    let right = settings("a shared passphrase");
    for (text, expected) in [
        ("", EnvelopeError::Length { found: 0 }),
        ("U2FsdGVkX18=", EnvelopeError::Length { found: 8 }),
        ("U2FsdGVkX1+WHmEBULA9Ew==", EnvelopeError::Length { found: 16 }),
        (&ENVELOPE[..40], EnvelopeError::Length { found: 30 }),
        ("AAECAwQFBgcICQoLDA0ODw==", EnvelopeError::Length { found: 16 }),
        ("not base64!", EnvelopeError::NotBase64),
        ("비밀번호", EnvelopeError::NotBase64),
        ("U2FsdGVkX1-WHmEBULA9EydTzTNtGWdnAqIJDopIFqA=", EnvelopeError::NotBase64),
    ] {
        assert_eq!(error(&right, text), expected, "{text}");
    }
    assert_eq!(
        error(&right, &"A".repeat(65_540)),
        EnvelopeError::Length { found: 49_155 }
    );
}

#[test]
fn wrong_key_wrong_cipher_wrong_digest_and_damage_are_one_error() {
    let right = || settings("a shared passphrase");
    let damaged = ENVELOPE.replace("RMX7", "RMX8");
    let pbkdf2 = Digest::Pbkdf2Sha256 {
        iterations: Digest::DEFAULT_ITERATIONS,
    };
    for (settings, text) in [
        (settings("another passphrase"), ENVELOPE),
        (
            EnvelopeSettings {
                cipher: Cipher::Aes256Cbc,
                ..right()
            },
            ENVELOPE,
        ),
        (
            EnvelopeSettings {
                digest: Digest::Md5,
                ..right()
            },
            ENVELOPE,
        ),
        (
            EnvelopeSettings {
                digest: pbkdf2,
                ..right()
            },
            ENVELOPE,
        ),
        (right(), damaged.as_str()),
    ] {
        assert_eq!(error(&settings, text), EnvelopeError::Unopened, "{settings:?}");
    }
}

#[test]
fn a_raw_envelope_wants_a_raw_key_and_aes_128() {
    let raw = "Dx4tPEtaaXiHlqW0w9Lh8NmIUCOYTeGopcXmCIYnRJE=";
    for key in [
        "a shared passphrase",
        "too short",
        "000102030405060708090a0b0c0d0eZZ",
        "AAECAwQFBgcICQoLDA0ODxAR",
    ] {
        assert_eq!(error(&settings(key), raw), EnvelopeError::RawKey, "{key}");
    }
    let fixed = EnvelopeSettings {
        cipher: Cipher::Aes256Cbc,
        ..settings("sixteen-byte-key")
    };
    assert_eq!(error(&fixed, raw), EnvelopeError::RawCipher);
    assert_eq!(error(&settings("sixteen-byte-kez"), raw), EnvelopeError::Unopened);
}

#[test]
fn an_empty_key_is_named() {
    for key in ["", "\n", "\r\n"] {
        assert_eq!(error(&settings(key), ENVELOPE), EnvelopeError::NoKey);
    }
}

#[test]
fn one_line_break_at_the_end_of_the_key_is_dropped() {
    for key in ["a shared passphrase\n", "a shared passphrase\r\n"] {
        assert!(settings(key).open(&EncryptedText::new(ENVELOPE)).is_ok(), "{key:?}");
    }
    assert_eq!(
        error(&settings("a shared passphrase\n\n"), ENVELOPE),
        EnvelopeError::Unopened
    );
}

#[test]
fn two_fitting_schemes_are_as_bad_as_none() {
    let opened = |derivation| {
        let scheme = Scheme {
            cipher: BlockCipher::Aes128Cbc,
            derivation,
        };
        let right = settings("a shared passphrase");
        let Form::Salted { salt, ciphertext } = Form::parse(ENVELOPE).unwrap() else {
            panic!("not salted")
        };
        let material = derive::derive(Derivation::Sha256, right.key.expose_secret().as_bytes(), &salt);
        let (key, iv) = material.split(BlockCipher::Aes128Cbc);
        Trial::new(scheme, key, iv, &ciphertext)
    };
    assert!(the_only_fit(vec![opened(Derivation::Sha256)]).is_some());
    assert!(the_only_fit(vec![opened(Derivation::Sha256), opened(Derivation::Md5)]).is_none());
    assert!(the_only_fit(Vec::new()).is_none());
}

#[test]
fn nothing_shows_a_secret() {
    let settings = settings("a shared passphrase");
    let text = EncryptedText::new(ENVELOPE);
    let opened = settings.open(&text).unwrap();
    let shown = format!("{settings:?} {text:?} {opened:?} {:?}", error(&settings, "AAAA"));
    for secret in ["shared", "Adm1n", "U2Fs", "AAAA"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("aes-128-cbc + sha256"), "{shown}");
}

#[test]
fn every_error_has_a_category_and_a_hint() {
    use EnvelopeError::{Length, NoKey, NotBase64, RawCipher, RawKey, Unopened};
    let categories = [NoKey, NotBase64, Length { found: 1 }, RawKey, RawCipher, Unopened].map(|error| {
        assert!(!error.hint().is_empty());
        error.category()
    });
    assert_eq!(
        categories,
        ["no_key", "not_base64", "length", "raw_key", "raw_cipher", "unopened"]
    );
}

proptest! {
    #[test]
    fn any_text_is_opened_or_refused(text in ".{0,200}", key in ".{0,40}") {
        let _ = settings(&key).open(&EncryptedText::new(text));
    }

    #[test]
    fn a_foreign_block_stays_closed(bytes in prop::collection::vec(any::<u8>(), 32)) {
        // Whatever the ciphertext: either it opens to printable text (chance of about one in a billion) or the one error.
        use base64::{Engine, prelude::BASE64_STANDARD};
        let text = BASE64_STANDARD.encode([b"Salted__".as_slice(), &bytes[..8], &bytes[8..24]].concat());
        prop_assert_eq!(error(&settings("another"), &text), EnvelopeError::Unopened);
    }
}

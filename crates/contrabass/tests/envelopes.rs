//! Envelopes made by the real `openssl enc` and the real `crypto-js`, recorded in `fixtures/envelopes.json`
//! (`fixtures/make-envelopes.sh` makes them anew), and one made by `openssl` while the test runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    io::Write,
    num::NonZeroU32,
    process::{Command, Stdio},
};

use multinic_contrabass::{Cipher, Digest, EncryptedText, EnvelopeError, EnvelopeSettings};
use secrecy::ExposeSecret;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixtures {
    envelopes: Vec<Fixture>,
}

#[derive(Deserialize)]
struct Fixture {
    name: String,
    key: String,
    password: String,
    scheme: String,
    iterations: Option<NonZeroU32>,
    envelope: String,
}

fn fixtures() -> Vec<Fixture> {
    let fixtures: Fixtures = serde_json::from_str(include_str!("fixtures/envelopes.json")).unwrap();
    assert!(fixtures.envelopes.len() >= 20, "the fixtures are complete");
    fixtures.envelopes
}

impl Fixture {
    fn open(&self, cipher: Cipher, digest: Digest) -> Result<(String, String), EnvelopeError> {
        let settings = EnvelopeSettings {
            cipher,
            digest,
            key: self.key.as_str().into(),
        };
        let opened = settings.open(&EncryptedText::new(&self.envelope))?;
        Ok((opened.text.expose_secret().to_owned(), opened.scheme.to_string()))
    }

    fn expected(&self) -> (String, String) {
        (self.password.clone(), self.scheme.clone())
    }

    /// The settings that name the scheme exactly.
    fn exact(&self) -> (Cipher, Digest) {
        let cipher = if self.scheme.starts_with("aes-128") {
            Cipher::Aes128Cbc
        } else {
            Cipher::Aes256Cbc
        };
        let digest = match (self.iterations, self.scheme.ends_with("md5")) {
            (Some(iterations), _) => Digest::Pbkdf2Sha256 { iterations },
            (None, true) => Digest::Md5,
            (None, false) => Digest::Sha256,
        };
        (cipher, digest)
    }
}

#[test]
fn every_recorded_envelope_is_opened_by_trying() {
    for fixture in fixtures().iter().filter(|fixture| fixture.iterations.is_none()) {
        assert_eq!(
            fixture.open(Cipher::Auto, Digest::Auto),
            Ok(fixture.expected()),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn every_recorded_envelope_is_opened_by_the_exact_settings() {
    for fixture in fixtures() {
        let (cipher, digest) = fixture.exact();
        assert_eq!(fixture.open(cipher, digest), Ok(fixture.expected()), "{}", fixture.name);
        assert_eq!(
            fixture.open(Cipher::Auto, digest),
            Ok(fixture.expected()),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn pbkdf2_is_never_tried_by_itself_and_its_iterations_must_be_right() {
    for fixture in fixtures().iter().filter(|fixture| fixture.iterations.is_some()) {
        assert_eq!(
            fixture.open(Cipher::Auto, Digest::Auto),
            Err(EnvelopeError::Unopened),
            "{}",
            fixture.name
        );
        let digest = Digest::Pbkdf2Sha256 {
            iterations: NonZeroU32::MIN,
        };
        assert_eq!(
            fixture.open(Cipher::Auto, digest),
            Err(EnvelopeError::Unopened),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn no_other_setting_opens_a_salted_envelope() {
    let ciphers = [Cipher::Aes128Cbc, Cipher::Aes256Cbc];
    let digests = [
        Digest::Md5,
        Digest::Sha256,
        Digest::Pbkdf2Sha256 {
            iterations: NonZeroU32::MIN,
        },
    ];
    for fixture in fixtures()
        .iter()
        .filter(|fixture| fixture.envelope.starts_with("U2FsdGVkX1"))
    {
        for (cipher, digest) in ciphers
            .into_iter()
            .flat_map(|cipher| digests.map(|digest| (cipher, digest)))
        {
            let expected = (cipher, digest) == fixture.exact();
            assert_eq!(
                fixture.open(cipher, digest).is_ok(),
                expected,
                "{}: {cipher:?} {digest:?}",
                fixture.name
            );
        }
    }
}

#[test]
fn what_openssl_makes_now_is_opened() {
    for (cipher, digest) in [("aes-128-cbc", "md5"), ("aes-256-cbc", "sha256")] {
        let envelope = openssl(&[&format!("-{cipher}"), "-md", digest]);
        let opened = EnvelopeSettings::new("열쇠 and key".into())
            .open(&EncryptedText::new(envelope))
            .unwrap();
        assert_eq!(opened.text.expose_secret(), "pass wörd 비밀");
        assert_eq!(opened.scheme.to_string(), format!("{cipher} + {digest}"));
    }
}

fn openssl(options: &[&str]) -> String {
    let mut child = Command::new("openssl")
        .args(["enc", "-base64", "-pass", "pass:열쇠 and key"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is on the PATH: install the package openssl");
    child
        .stdin
        .take()
        .unwrap()
        .write_all("pass wörd 비밀".as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

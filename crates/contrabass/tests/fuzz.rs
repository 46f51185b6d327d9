//! Foreign bytes: the password envelope and the answer of Contrabass. `MULTINIC_FUZZ_SECONDS=300` makes a long run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use base64::{Engine, prelude::BASE64_STANDARD};
use multinic_contrabass::{AnswerError, EncryptedText, EnvelopeSettings, Provider};
use multinic_testing::fuzz;
use secrecy::ExposeSecret;
use serde_json::Value;

const KEY: &str = "sixteen-byte-key";

fn recorded() -> Vec<Vec<u8>> {
    let fixtures: Value = serde_json::from_str(include_str!("fixtures/envelopes.json")).unwrap();
    let envelopes = fixtures["envelopes"].as_array().unwrap();
    envelopes
        .iter()
        .map(|one| one["envelope"].as_str().unwrap().as_bytes().to_vec())
        .collect()
}

/// Whatever comes: an error that shows nothing, or a printable text.
fn open(text: &str) -> String {
    let settings = EnvelopeSettings::new(KEY.into());
    match settings.open(&EncryptedText::new(text)) {
        Ok(opened) => {
            let password = opened.text.expose_secret();
            assert!(!password.chars().any(char::is_control), "{password:?}");
            opened.scheme.to_string()
        }
        Err(error) => {
            assert!(!error.to_string().contains(KEY));
            error.category().to_owned()
        }
    }
}

#[test]
fn the_envelope_takes_any_text() {
    fuzz::run("envelope text", &recorded(), |bytes| {
        open(&String::from_utf8_lossy(bytes))
    });
}

#[test]
fn the_envelope_takes_any_bytes_behind_base64() {
    let seeds: Vec<_> = recorded()
        .iter()
        .filter_map(|text| BASE64_STANDARD.decode(text).ok())
        .collect();
    fuzz::run("envelope bytes", &seeds, |bytes| open(&BASE64_STANDARD.encode(bytes)));
}

#[test]
fn the_answer_of_contrabass_may_be_anything() {
    let seeds = [
        include_bytes!("fixtures/provider.json").to_vec(),
        include_bytes!("fixtures/provider-wrapped.json").to_vec(),
    ];
    fuzz::run("provider", &seeds, |bytes| match Provider::from_json(bytes) {
        Ok(provider) => {
            let url = &provider.keystone_url;
            assert!(
                url.path().ends_with("/v3") && url.has_host() && url.username().is_empty(),
                "{url}"
            );
            format!(
                "{} {}",
                url.scheme(),
                provider.rabbitmq.map_or(0, |rabbitmq| rabbitmq.brokers.len())
            )
        }
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.chars().count() < 1_000 && !text.chars().any(char::is_control),
                "{text:?}"
            );
            // The code is the server's own text: each one would count as a new outcome.
            if matches!(error, AnswerError::ReturnCode { .. }) {
                "returnCode".to_owned()
            } else {
                text
            }
        }
    });
}

//! Bad connections, bad answers, busy services, TLS, and what may never be shown.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{
    Answer, Server, recorded,
    world::{PASSWORD, PORTS, SERVERS, SUBNETS, TOKEN, TOKENS, World, request, usual},
};
use multinic_cloud::{CloudError, Service};
use multinic_transport::Pem;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};
use tracing_subscriber::fmt::MakeWriter;

/// `bad` for the first requests of each path, the usual answer afterwards.
async fn at_first(bad: Vec<Answer>) -> crate::support::world::Running {
    let mut world = World::default();
    for path in [SERVERS, SUBNETS, PORTS] {
        let bad = bad.clone();
        world = world.on(path, move |seen, n| {
            bad.get(n).cloned().unwrap_or_else(|| usual("", seen, n))
        });
    }
    world.start().await
}

#[tokio::test]
async fn fact_1_answers_without_a_length_are_read_to_the_end_of_the_connection() {
    let mut world = World::default();
    for path in [SERVERS, SUBNETS, PORTS] {
        world = world.on(path, |seen, n| usual("", seen, n).until_close());
    }
    let running = world.start().await;
    let cloud = running.cloud();
    for _ in 0..3 {
        assert_eq!(
            cloud
                .read(&running.credentials(), &request())
                .await
                .unwrap()
                .ports
                .len(),
            3
        );
    }
    assert_eq!(cloud.requests().total(), 13, "nothing was repeated");
}

#[tokio::test]
async fn fact_1_a_reset_connection_is_repeated() {
    let running = at_first(vec![Answer::HangUp]).await;
    let inventory = running.read(&request()).await.unwrap();
    assert_eq!(inventory.ports.len(), 3);
}

#[tokio::test]
async fn a_service_that_always_hangs_up_is_given_up() {
    let running = World::default().answers(PORTS, vec![Answer::HangUp]).start().await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(matches!(error, CloudError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_repeated_and_never_taken() {
    let whole = usual("", &seen_ports(), 0).body();
    let cut = whole[..whole.len() / 2].to_vec();
    let by_length = Answer::Cut {
        body: cut.clone(),
        length: whole.len(),
    };
    let by_close = Answer::UntilClose {
        status: 200,
        headers: vec![],
        body: cut,
    };
    for bad in [by_length, by_close.clone()] {
        let running = World::default()
            .on(
                PORTS,
                move |seen, n| if n == 0 { bad.clone() } else { usual("", seen, n) },
            )
            .start()
            .await;
        let inventory = running.read(&request()).await.unwrap();
        assert_eq!(inventory.ports.len(), 3);
    }
    let running = World::default().answers(PORTS, vec![by_close]).start().await;
    let error = running.read(&request()).await.unwrap_err();
    assert_eq!(error.category(), "truncated", "{error}");
}

fn seen_ports() -> crate::support::Seen {
    let path = PORTS.to_owned();
    crate::support::Seen {
        target: String::new(),
        path,
        query: vec![],
        headers: std::collections::BTreeMap::default(),
        body: vec![],
    }
}

#[tokio::test]
async fn busy_services_are_asked_again_with_and_without_retry_after() {
    let bad = [429, 500, 502, 503, 504].map(Answer::empty).to_vec();
    let running = at_first(bad).await;
    running.read(&request()).await.unwrap();
    let running = at_first(vec![Answer::empty(429).with("Retry-After", "0")]).await;
    running.read(&request()).await.unwrap();
}

#[tokio::test]
async fn a_wait_longer_than_our_patience_is_reported_not_waited_for() {
    let answer = Answer::empty(429).with("Retry-After", "3600");
    let running = World::default().answers(SERVERS, vec![answer]).start().await;
    let error = running.read(&request()).await.unwrap_err();
    let CloudError::Status { retry_after, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(retry_after, Some(Duration::from_hours(1)));
    assert_eq!(running.server.on("/servers").len(), 1);
}

#[tokio::test]
async fn fact_4_a_503_while_keystone_is_down_is_waited_for_and_makes_no_login() {
    let running = World::default()
        .on(SERVERS, |s, n| {
            if n < 3 {
                recorded("keystone-down-nova-uncached-token")
            } else {
                usual("", s, n)
            }
        })
        .on(PORTS, |s, n| {
            if n < 3 {
                recorded("keystone-down-neutron-uncached-token")
            } else {
                usual("", s, n)
            }
        })
        .start()
        .await;
    running.read(&request()).await.unwrap();
    assert_eq!(running.server.on("/auth/tokens").len(), 1);
}

#[tokio::test]
async fn fact_2_a_414_without_a_body_is_an_error_that_says_so() {
    let running = World::default().answers(PORTS, vec![Answer::empty(414)]).start().await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(error.to_string().contains("414 URI Too Long"), "{error}");
    assert_eq!(
        running.server.on("/ports").len(),
        1,
        "it would be as long the next time"
    );
}

#[tokio::test]
async fn other_refusals_are_final_and_carry_openstacks_words() {
    for status in [400, 403, 404, 409] {
        let body = json!({"NeutronError": {"type": "X", "message": "because of this", "detail": ""}});
        let running = World::default()
            .answers(SUBNETS, vec![Answer::json(status, &body)])
            .start()
            .await;
        let error = running.read(&request()).await.unwrap_err();
        assert!(error.to_string().contains("because of this"), "{error}");
        assert_eq!(running.server.on("/subnets").len(), 1);
    }
}

#[tokio::test]
async fn a_page_that_is_no_json_is_not_an_answer() {
    let html = Answer::Full {
        status: 200,
        headers: vec![],
        body: b"<html>login please</html>".to_vec(),
    };
    let running = World::default().answers(SUBNETS, vec![html]).start().await;
    let error = running.read(&request()).await.unwrap_err();
    assert_eq!(error.category(), "body", "{error}");
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let mut running = World::default().answers(SERVERS, vec![Answer::Silence]).start().await;
    running.settings.endpoint.timeout = Duration::from_millis(300);
    running.settings.retry.max_silent_tries = 1;
    let error = running.read(&request()).await.unwrap_err();
    assert!(
        matches!(&error, CloudError::Timeout { place, .. } if place.service == Service::Compute),
        "{error:?}"
    );
}

#[tokio::test]
async fn nobody_there_is_a_connection_error_with_the_address() {
    let running = World::default().start().await;
    let mut credentials = running.credentials();
    credentials.auth_url = "http://127.0.0.1:1/v3".parse().unwrap();
    let error = running.cloud().connect(&credentials).await.unwrap_err();
    assert!(matches!(error, CloudError::Connect { .. }), "{error:?}");
    assert!(
        error.to_string().contains("http://127.0.0.1:1/v3/auth/tokens"),
        "{error}"
    );
}

#[tokio::test]
async fn endpoint_settings_win_over_the_catalog() {
    let elsewhere = Server::start(|seen, n| {
        let path = seen.path.replace("/elsewhere", "/network");
        usual("", &crate::support::Seen { path, ..seen.clone() }, n)
    })
    .await;
    let mut running = World::default().start().await;
    running.settings.network_endpoint = Some(format!("http://{}/elsewhere", elsewhere.address).parse().unwrap());
    let inventory = running.read(&request()).await.unwrap();
    assert_eq!(inventory.ports.len(), 3);
    assert_eq!(elsewhere.seen().len(), 3);
    assert!(running.paths().iter().all(|path| !path.starts_with("/network")));
}

#[tokio::test]
async fn several_regions_and_none_chosen_stop_before_anything_is_asked() {
    let mut running = World::default()
        .on(TOKENS, |_, n| {
            let answer = crate::support::world::token("http://localhost:1", n);
            let text = String::from_utf8(answer.body()).unwrap();
            let mut body: serde_json::Value = serde_json::from_str(&text).unwrap();
            for service in body["token"]["catalog"].as_array_mut().unwrap() {
                let endpoints = service["endpoints"].as_array_mut().unwrap();
                let mut second = endpoints.clone();
                for endpoint in &mut second {
                    endpoint["region"] = "RegionTwo".into();
                }
                endpoints.extend(second);
            }
            let Answer::UntilClose { status, headers, .. } = answer else {
                unreachable!()
            };
            Answer::UntilClose {
                status,
                headers,
                body: body.to_string().into_bytes(),
            }
        })
        .start()
        .await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(error.to_string().contains("RegionOne, RegionTwo"), "{error}");
    assert_eq!(running.server.seen().len(), 1);
    running.settings.region = Some("RegionTwo".into());
    let info = running.cloud().connect(&running.credentials()).await.unwrap();
    assert_eq!(info.network.region.as_deref(), Some("RegionTwo"));
}

/// A server certificate for localhost and the CA that signed it, as PEM.
fn certificate() -> (TlsAcceptor, String) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(vec![]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let leaf = CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ca_pem)
}

#[tokio::test]
async fn a_private_ca_is_trusted_only_when_it_is_set() {
    let (tls, ca) = certificate();
    let mut running = World::default().tls(tls).start().await;
    let error = running.cloud().connect(&running.credentials()).await.unwrap_err();
    assert!(matches!(error, CloudError::Connect { .. }), "{error:?}");
    assert!(
        running.server.seen().is_empty(),
        "no password leaves before the certificate is checked"
    );

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ca.as_bytes()).unwrap();
    running.settings.endpoint.tls.ca_file = Some(file.path().into());
    running.read(&request()).await.unwrap();

    running.settings.endpoint.tls.ca_file = Some("/nonexistent/ca.pem".into());
    assert_eq!(
        running
            .cloud()
            .connect(&running.credentials())
            .await
            .unwrap_err()
            .category(),
        "endpoint"
    );

    running.settings.endpoint.tls.ca_file = None;
    running.settings.endpoint.tls.ca_pem = Some(Pem::new(ca.as_bytes()));
    running.read(&request()).await.unwrap();

    running.settings.endpoint.tls.ca_pem = None;
    running.settings.endpoint.tls.insecure_skip_verify = true;
    running.cloud().connect(&running.credentials()).await.unwrap();
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_of_any_crate_at_any_level_and_no_error_shows_a_secret() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let refused = recorded("neutron-ports-bad-token");
    let running = World::default().answers(PORTS, vec![refused]).start().await;
    let (cloud, credentials) = (running.cloud(), running.credentials());
    let refused = cloud.read(&credentials, &request()).await.unwrap_err();
    let wrong = World::default()
        .answers(TOKENS, vec![recorded("keystone-wrong-password")])
        .start()
        .await;
    let rejected = wrong.cloud().connect(&wrong.credentials()).await.unwrap_err();
    let shown = format!("{cloud:?} {credentials:?} {refused:?} {refused} {rejected:?} {rejected}");
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("auth/tokens") && log.contains("hyper"), "the log is there");
    for secret in [PASSWORD, TOKEN] {
        assert!(!shown.contains(secret), "{shown}");
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}

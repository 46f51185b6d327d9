//! The client against a server whose every answer is written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use multinic_contrabass::{
    AnswerError, Contrabass, ContrabassError, ContrabassSettings, Pauses, Provider, ProviderPath,
};
use multinic_model::ProviderId;
use multinic_testing::server::{Reply, Server};
use multinic_transport::{Endpoint, SendErrorKind};

const SEED: &str = include_str!("fixtures/provider.json");

const WRAPPED: &str = include_str!("fixtures/provider-wrapped.json");

const TOKEN: &str = "t0ken-of-the-test";

type Waited = Arc<Mutex<Vec<Duration>>>;

fn settings(server: &Server) -> ContrabassSettings {
    ContrabassSettings {
        endpoint: server.url(),
        provider_path: ProviderPath::default(),
        token: None,
        transport: Endpoint::default(),
    }
}

/// A client that records its pauses instead of spending them.
fn client(settings: ContrabassSettings) -> (Contrabass, Waited) {
    let waited = Waited::default();
    let record = Arc::clone(&waited);
    let pauses = Pauses::new(move |pause| {
        record.lock().unwrap().push(pause);
        std::future::ready(())
    });
    (Contrabass::new(settings).unwrap().with_pauses(pauses), waited)
}

fn id() -> ProviderId {
    "a919ea1c-9a09-4a9f-9021-ec68c1de2159".parse().unwrap()
}

async fn ask(reply: Reply) -> Result<Provider, ContrabassError> {
    let server = Server::answering(move |_| reply.clone()).await;
    client(settings(&server)).0.provider(&id()).await
}

#[tokio::test]
async fn the_shape_of_the_seed_is_read() {
    let server = Server::scripted([Reply::json(200, SEED)]).await;
    let (contrabass, _) = client(settings(&server));
    let provider = contrabass.provider(&id()).await.unwrap();
    assert_eq!(provider.keystone_url.as_str(), "http://keystone.example.com:5000/v3");
    assert_eq!(
        (provider.admin_id.as_str(), provider.domain.as_str()),
        ("admin", "default")
    );
    assert_eq!(provider.rabbitmq, None);
    assert_eq!(
        server.lines(),
        ["GET /api/providers/a919ea1c-9a09-4a9f-9021-ec68c1de2159"]
    );
    assert_eq!(contrabass.requests(), 1);
    assert!(!server.requests()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn the_shape_of_the_deployed_version_is_read_at_its_path_with_a_token() {
    let server = Server::scripted([Reply::json(200, WRAPPED)]).await;
    let mut endpoint = server.url();
    endpoint.set_path("/gateway/");
    let provider_path = "/v1/contrabass/admin/infra/provider/{id}".parse().unwrap();
    let token = Some(format!("{TOKEN}\n").into());
    let (contrabass, _) = client(ContrabassSettings {
        endpoint,
        provider_path,
        token,
        ..settings(&server)
    });
    let provider = contrabass.provider(&"pro%vider?1".parse().unwrap()).await.unwrap();
    assert_eq!(provider.keystone_url.as_str(), "https://10.0.0.30:15000/v3");
    let rabbitmq = provider.rabbitmq.unwrap();
    assert_eq!(rabbitmq.user, "openstack");
    assert_eq!(format!("{:?}", rabbitmq.brokers), "[10.0.0.30:5672, 10.0.0.31:5672]");
    let request = &server.requests()[0];
    assert_eq!(
        request.target,
        "/gateway/v1/contrabass/admin/infra/provider/pro%25vider%3F1"
    );
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let good = || Reply::json(200, SEED);
    for (first, attempts) in [
        (Reply::Closed, 2),
        (Reply::Truncated(SEED.into()), 2),
        (Reply::status(408), 2),
        (Reply::status(429), 2),
        (Reply::status(500), 2),
        (Reply::status(502), 2),
        (Reply::status(503), 2),
        (Reply::status(504), 2),
        (Reply::status(501), 1),
        (Reply::status(400), 1),
        (Reply::status(401), 1),
        (Reply::status(403), 1),
        (Reply::status(404), 1),
        (Reply::status(204), 1),
        (Reply::status(302).header("location", "/login"), 1),
        (Reply::json(200, "{"), 1),
    ] {
        let server = Server::scripted([first.clone(), good()]).await;
        let (contrabass, waited) = client(settings(&server));
        let result = contrabass.provider(&id()).await;
        assert_eq!(result.is_ok(), attempts == 2, "{first:?}: {result:?}");
        assert_eq!(contrabass.requests(), attempts, "{first:?}");
        assert_eq!(server.requests().len() as u64, attempts, "{first:?}");
        assert_eq!(waited.lock().unwrap().len() as u64, attempts - 1, "{first:?}");
    }
}

#[tokio::test]
async fn a_server_that_stays_down_is_given_up_after_four_attempts() {
    let server = Server::answering(|_| Reply::status(503).header("retry-after", "7")).await;
    let (contrabass, waited) = client(settings(&server));
    let error = contrabass.provider(&id()).await.unwrap_err();
    assert!(
        matches!(
            error,
            ContrabassError::Status {
                status: 503,
                attempts: 4,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(*waited.lock().unwrap(), [Duration::from_secs(7); 3]);
}

#[tokio::test]
async fn a_pooled_connection_that_the_server_closed_is_no_failure() {
    let script = [Reply::json(200, SEED), Reply::Closed, Reply::json(200, SEED)];
    let server = Server::scripted(script).await;
    let (contrabass, _) = client(settings(&server));
    for _ in 0..2 {
        contrabass.provider(&id()).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let server = Server::answering(|_| Reply::Silence).await;
    let transport = Endpoint {
        timeout: Duration::from_millis(20),
        ..Endpoint::default()
    };
    let (contrabass, _) = client(ContrabassSettings {
        transport,
        ..settings(&server)
    });
    let error = contrabass.provider(&id()).await.unwrap_err();
    let ContrabassError::Unreachable { ref source, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((source.kind, source.attempts), (SendErrorKind::Timeout, 4));
    assert!(error.hint().contains("timeout"), "{}", error.hint());
}

#[tokio::test]
async fn a_port_without_a_server_is_no_connection() {
    let server = Server::scripted([]).await;
    let unused = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = format!("http://{unused}").parse().unwrap();
    let settings = ContrabassSettings {
        endpoint,
        ..settings(&server)
    };
    let error = client(settings).0.provider(&id()).await.unwrap_err();
    let ContrabassError::Unreachable { ref url, ref source } = error else {
        panic!("{error:?}")
    };
    assert!(
        url.ends_with("/api/providers/a919ea1c-9a09-4a9f-9021-ec68c1de2159"),
        "{url}"
    );
    assert_eq!(source.kind, SendErrorKind::Connect);
}

#[tokio::test]
async fn the_error_names_the_status_and_what_to_do() {
    for (status, category, hint) in [
        (401, "unauthorised", "contrabass.token"),
        (403, "unauthorised", "contrabass.token"),
        (404, "not_found", "contrabass.providerPath"),
        (302, "redirected", "contrabass.endpoint"),
        (400, "status", "log of Contrabass"),
        (500, "status", "log of Contrabass"),
    ] {
        let reply = Reply::json(status, r#"{"returnMessage": "because"}"#).header("location", "https://sso.example");
        let error = ask(reply).await.unwrap_err();
        assert_eq!(error.category(), category);
        assert!(error.hint().contains(hint), "{status}: {}", error.hint());
        let text = error.to_string();
        let detail = if status == 302 {
            "https://sso.example"
        } else {
            "because"
        };
        assert!(text.contains(&status.to_string()) && text.contains(detail), "{text}");
    }
}

#[tokio::test]
async fn an_answer_without_a_provider_is_understood_as_far_as_possible() {
    for (body, category, words) in [
        ("<html>login</html>", "answer", "not a JSON object"),
        ("[]", "answer", "not a JSON object"),
        (
            "{}",
            "answer",
            "data.url, data.attributes.adminId, data.attributes.adminPw, data.attributes.domain",
        ),
        (r#"{"data": null}"#, "answer", "data.url"),
        (
            r#"{"returnCode": "404", "returnMessage": "no\nsuch", "data": null}"#,
            "answer",
            "returnCode 404: no such",
        ),
        (r#"{"returnCode": 500}"#, "answer", "returnCode 500: no returnMessage"),
        (r#"{"returnCode": "E\u001b[1mX"}"#, "answer", "returnCode E [1mX"),
    ] {
        let error = ask(Reply::json(200, body)).await.unwrap_err();
        assert_eq!(error.category(), category);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(words), "{body}: {source}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_and_not_asked_for_again() {
    let server = Server::answering(|_| Reply::json(200, vec![b' '; 1024 * 1024 + 1])).await;
    let (contrabass, _) = client(settings(&server));
    let error = contrabass.provider(&id()).await.unwrap_err();
    let ContrabassError::Unreachable { source, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((source.kind, source.attempts), (SendErrorKind::TooLong, 1));
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let server = Server::scripted([]).await;
    let with_password = "http://user:s3cret@a.example".parse().unwrap();
    for settings in [
        ContrabassSettings {
            endpoint: "ftp://a.example".parse().unwrap(),
            ..settings(&server)
        },
        ContrabassSettings {
            endpoint: with_password,
            ..settings(&server)
        },
        ContrabassSettings {
            token: Some(" \n".into()),
            ..settings(&server)
        },
        ContrabassSettings {
            token: Some("two\nlines".into()),
            ..settings(&server)
        },
    ] {
        let error = Contrabass::new(settings).unwrap_err();
        assert_eq!(error.category(), "settings");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn no_secret_is_shown_even_if_the_server_repeats_it() {
    let echo = format!(r#"{{"returnCode": "401", "returnMessage": "bad token {TOKEN}"}}"#);
    for status in [200, 400, 401, 404, 503] {
        let body = echo.clone();
        let server = Server::answering(move |_| Reply::json(status, body.clone())).await;
        let settings = ContrabassSettings {
            token: Some(TOKEN.into()),
            ..settings(&server)
        };
        let shown = format!("{settings:?}");
        let (contrabass, _) = client(settings);
        let error = contrabass.provider(&id()).await.unwrap_err();
        let shown = format!("{shown} {contrabass:?} {error:?} {error}");
        assert!(
            !shown.contains(TOKEN) && shown.contains("bad token"),
            "{status}: {shown}"
        );
    }
    let provider = format!("{:?}", ask(Reply::json(200, WRAPPED)).await.unwrap());
    assert!(!provider.contains("U2FsdGVkX1"), "{provider}");
}

#[test]
fn the_provider_can_be_read_from_a_body_alone() {
    let without = |key: &str| {
        let mut json: serde_json::Value = serde_json::from_str(SEED).unwrap();
        json["data"]["attributes"].as_object_mut().unwrap().remove(key);
        Provider::from_json(json.to_string().as_bytes())
    };
    assert!(without("nothing").is_ok());
    assert_eq!(
        without("domain"),
        Err(AnswerError::Missing {
            fields: vec!["data.attributes.domain"]
        })
    );
}

/// The operator moves its passes between threads.
#[tokio::test]
async fn the_call_may_be_spawned() {
    let server = Server::scripted([Reply::json(200, SEED)]).await;
    let (contrabass, _) = client(settings(&server));
    tokio::spawn(async move { contrabass.provider(&id()).await })
        .await
        .unwrap()
        .unwrap();
}

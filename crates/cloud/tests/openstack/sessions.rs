//! Logins: how many, when, and when not.

use std::sync::Arc;

use crate::support::{
    Answer, recorded,
    world::{PORTS, PROJECT, SERVERS, TOKEN, TOKENS, World, request, token},
};
use futures::future::join_all;
use multinic_cloud::{CloudCredentials, CloudError};

#[tokio::test]
async fn a_cold_reading_logs_in_once_and_a_warm_one_not_at_all() {
    let running = World::default().start().await;
    let cloud = running.cloud();
    cloud.read(&running.credentials(), &request()).await.unwrap();
    assert_eq!(
        cloud.requests().total(),
        5,
        "login, servers, subnets, networks, ports: {:?}",
        running.paths()
    );
    cloud.read(&running.credentials(), &request()).await.unwrap();
    assert_eq!(cloud.requests().total(), 9);
    assert_eq!(running.server.on("/auth/tokens").len(), 1);
}

#[tokio::test]
async fn readings_side_by_side_share_one_login() {
    let running = World::default().start().await;
    let (cloud, credentials, request) = (running.cloud(), running.credentials(), request());
    for result in join_all((0..20).map(|_| cloud.read(&credentials, &request))).await {
        result.unwrap();
    }
    assert_eq!(running.server.on("/auth/tokens").len(), 1);
}

#[tokio::test]
async fn fact_4_any_number_of_401s_makes_one_login() {
    let old = format!("{TOKEN}-0");
    let refuse = move |fixture: &'static str, path: &'static str| {
        let old = old.clone();
        move |seen: &crate::support::Seen, n: usize| {
            if seen.token() == old {
                recorded(fixture)
            } else {
                crate::support::world::usual(
                    "",
                    &crate::support::Seen {
                        path: path.into(),
                        ..seen.clone()
                    },
                    n,
                )
            }
        }
    };
    let running = World::default()
        .on(SERVERS, refuse("nova-servers-bad-token", SERVERS))
        .on(PORTS, refuse("neutron-ports-bad-token", PORTS))
        .start()
        .await;
    let (cloud, credentials, request) = (running.cloud(), running.credentials(), request());
    for result in join_all((0..20).map(|_| cloud.read(&credentials, &request))).await {
        assert_eq!(result.unwrap().ports.len(), 3);
    }
    assert_eq!(
        running.server.on("/auth/tokens").len(),
        2,
        "the first one, and one for all the refusals"
    );
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_again_is_an_error_not_a_loop() {
    let running = World::default()
        .answers(PORTS, vec![recorded("neutron-ports-bad-token")])
        .start()
        .await;
    let error = running.read(&request()).await.unwrap_err();
    assert!(matches!(error, CloudError::TokenRefused { .. }), "{error}");
    assert_eq!(running.server.on("/auth/tokens").len(), 2);
    assert_eq!(running.server.on("/ports").len(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_at_half_of_its_life() {
    let running = World::default().start().await;
    let (cloud, credentials) = (running.cloud(), running.credentials());
    for (seconds, logins) in [(0, 1), (1799, 1), (1, 2), (1799, 2), (1, 3)] {
        running.clock.advance(seconds);
        cloud.connect(&credentials).await.unwrap();
        assert_eq!(
            running.server.on("/auth/tokens").len(),
            logins,
            "after {seconds} more seconds"
        );
    }
}

#[tokio::test]
async fn an_early_renewal_that_fails_leaves_the_old_token_in_use() {
    let answer = |_: &crate::support::Seen, n| if n == 0 { first_token() } else { Answer::empty(503) };
    let mut running = World::default().on(TOKENS, answer).start().await;
    running.settings.retry.budget = std::time::Duration::from_millis(10);
    let (cloud, credentials) = (running.cloud(), running.credentials());
    cloud.connect(&credentials).await.unwrap();
    running.clock.advance(1800);
    cloud.connect(&credentials).await.unwrap();
    cloud.connect(&credentials).await.unwrap();
    assert_eq!(running.server.on("/auth/tokens").len(), 2, "one try, then a pause");
    running.clock.advance(60);
    cloud.connect(&credentials).await.unwrap();
    assert_eq!(running.server.on("/auth/tokens").len(), 3);
    running.clock.advance(1800);
    let error = running
        .cloud()
        .connect(&CloudCredentials {
            domain: "x".into(),
            ..credentials
        })
        .await
        .unwrap_err();
    assert_eq!(
        error.category(),
        "status",
        "without an old token it is an error: {error}"
    );
}

/// Nothing else is asked in the tests that use it, so the catalog's addresses do not matter.
fn first_token() -> Answer {
    token("http://localhost:1", 0)
}

#[tokio::test]
async fn fact_3_every_refused_login_is_one_attempt_with_one_clear_error() {
    for fixture in [
        "keystone-wrong-password",
        "keystone-no-such-user",
        "keystone-wrong-project",
        "keystone-no-role-on-project",
        "keystone-disabled-user",
    ] {
        let running = World::default().answers(TOKENS, vec![recorded(fixture)]).start().await;
        let (cloud, credentials) = (running.cloud(), running.credentials());
        let error = cloud.read(&credentials, &request()).await.unwrap_err();
        assert!(matches!(&error, CloudError::Login { .. }), "{fixture}: {error}");
        assert!(
            error
                .to_string()
                .contains("The request you have made requires authentication."),
            "{error}"
        );
        let hint = error.hint().unwrap();
        assert!(
            ["password", "user", "domain", "project", "role"]
                .iter()
                .all(|word| hint.contains(word)),
            "{hint}"
        );
        for _ in 0..10 {
            assert_eq!(
                cloud.read(&credentials, &request()).await.unwrap_err().category(),
                "rejected_earlier"
            );
        }
        assert_eq!(running.server.seen().len(), 1, "{fixture}: {:?}", running.paths());
    }
}

#[tokio::test]
async fn side_by_side_a_wrong_password_is_sent_once() {
    let running = World::default()
        .answers(TOKENS, vec![recorded("keystone-wrong-password")])
        .start()
        .await;
    let (cloud, credentials) = (running.cloud(), running.credentials());
    for result in join_all((0..10).map(|_| cloud.connect(&credentials))).await {
        assert_eq!(
            result.unwrap_err().category(),
            "login",
            "who waited gets the same answer"
        );
    }
    assert_eq!(running.server.seen().len(), 1);
}

#[tokio::test]
async fn a_rejected_password_is_tried_again_when_it_changes_or_after_a_quarter_of_an_hour() {
    let running = World::default()
        .on(TOKENS, |seen, _| {
            if seen.json()["auth"]["identity"]["password"]["user"]["password"] == "right" {
                first_token()
            } else {
                recorded("keystone-wrong-password")
            }
        })
        .start()
        .await;
    let (cloud, wrong) = (running.cloud(), running.credentials());
    cloud.connect(&wrong).await.unwrap_err();
    running.clock.advance(899);
    assert_eq!(cloud.connect(&wrong).await.unwrap_err().category(), "rejected_earlier");
    running.clock.advance(1);
    assert_eq!(cloud.connect(&wrong).await.unwrap_err().category(), "login");
    cloud
        .connect(&CloudCredentials {
            password: "right".into(),
            ..wrong
        })
        .await
        .unwrap();
    assert_eq!(running.server.seen().len(), 3);
}

#[tokio::test]
async fn changed_credentials_get_a_session_of_their_own() {
    let running = World::default().start().await;
    let (cloud, credentials) = (running.cloud(), running.credentials());
    cloud.connect(&credentials).await.unwrap();
    cloud
        .connect(&CloudCredentials {
            password: "another".into(),
            ..credentials
        })
        .await
        .unwrap();
    assert_eq!(running.server.on("/auth/tokens").len(), 2);
}

#[tokio::test]
async fn a_forgotten_provider_logs_in_again() {
    let running = World::default().start().await;
    let (cloud, credentials) = (running.cloud(), running.credentials());
    cloud.connect(&credentials).await.unwrap();
    cloud.forget(&"another".parse().unwrap());
    cloud.connect(&credentials).await.unwrap();
    assert_eq!(running.server.seen().len(), 1);
    cloud.forget(&credentials.provider);
    cloud.connect(&credentials).await.unwrap();
    assert_eq!(running.server.seen().len(), 2);
}

#[tokio::test]
async fn a_login_waits_for_a_keystone_that_is_down_for_a_moment() {
    let running = World::default()
        .on(TOKENS, |_, n| match n {
            0 => Answer::HangUp,
            1 => Answer::empty(502),
            2 => Answer::empty(429),
            _ => first_token(),
        })
        .start()
        .await;
    let info = running.cloud().connect(&running.credentials()).await.unwrap();
    assert_eq!(info.project.to_string(), PROJECT);
    assert_eq!(running.server.seen().len(), 4);
}

#[tokio::test]
async fn a_token_for_another_project_is_refused_by_us() {
    let running = World::default().start().await;
    let other = CloudCredentials {
        project: "08793639093046cf837c5faf44e35f2b".parse().unwrap(),
        ..running.credentials()
    };
    let error = running.cloud().connect(&other).await.unwrap_err();
    assert!(!matches!(error, CloudError::Login { .. }), "{error}");
    assert!(running.server.on("/servers").is_empty());
}

#[tokio::test]
async fn the_domain_is_sent_as_id_or_as_name_and_the_scope_as_project_id() {
    let running = World::default().start().await;
    let base = running.credentials();
    for (domain, wanted) in [
        ("default", serde_json::json!({"id": "default"})),
        ("Default", serde_json::json!({"name": "Default"})),
        (
            "0123456789abcdef0123456789abcdef",
            serde_json::json!({"id": "0123456789abcdef0123456789abcdef"}),
        ),
    ] {
        let credentials = CloudCredentials {
            domain: domain.into(),
            ..base.clone()
        };
        running.cloud().connect(&credentials).await.unwrap();
        let body = running.server.seen().last().unwrap().json();
        assert_eq!(body["auth"]["identity"]["password"]["user"]["domain"], wanted);
        assert_eq!(body["auth"]["scope"], serde_json::json!({"project": {"id": PROJECT}}));
    }
    assert_eq!(Arc::strong_count(&running.clock), 1, "no session outlives its cloud");
}

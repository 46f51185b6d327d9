//! Tokens of Kubernetes. SQLite only: the database is behind all of this.

use std::time::Duration;

use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, ReviewedToken, Times};
use multinic_management_api::{http::auth::ReviewSettings, server::Options};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    api::{Answer, Api, NODES, send},
    configs::{digest, node_json},
    database::TestDatabase,
};

const AGENTS: &str = "system:serviceaccount:multinic-system:multinic-agent";
const AUDIENCE: &str = "multinic-management-api";

fn tokens() -> String {
    format!(
        "tokens:
- {{name: static, role: operator, providers: [biz-1], sha256: {}}}
- {{name: agents, role: agent, providers: [biz-1], nodes: own, kubernetes: {{user: '{AGENTS}'}}}}
- {{name: everybody, role: viewer, providers: [biz-1], kubernetes: {{group: 'system:serviceaccounts:multinic-system'}}}}
",
        digest("a-token-that-is-static")
    )
}

fn reviewed(user: &str, node: Option<&str>) -> ReviewedToken {
    let extra = node.map(|node| {
        (
            "authentication.kubernetes.io/node-name".to_owned(),
            vec![node.to_owned()],
        )
    });
    ReviewedToken {
        user: user.to_owned(),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            "system:serviceaccounts:multinic-system".to_owned(),
        ],
        audiences: vec![AUDIENCE.to_owned()],
        extra: extra.into_iter().collect(),
    }
}

struct World {
    kubernetes: KubernetesLab,
    api: Api,
    _kubeconfig: tempfile::TempDir,
}

impl World {
    async fn start(database: &TestDatabase, change: impl FnOnce(&mut Options, &mut ReviewSettings)) -> Self {
        let builder = KubernetesLab::builder()
            .reviewed_token("agent.of.one", reviewed(AGENTS, Some("worker-1")))
            .reviewed_token("agent.of.two", reviewed(AGENTS, Some("worker-2")))
            .reviewed_token("agent.of.none", reviewed(AGENTS, None))
            .reviewed_token(
                "a.mere.account",
                reviewed("system:serviceaccount:multinic-system:other", None),
            )
            .reviewed_token(
                "a.strange.account",
                ReviewedToken {
                    groups: Vec::new(),
                    ..reviewed("system:serviceaccount:default:default", None)
                },
            )
            .reviewed_token(
                "for.somebody.else",
                ReviewedToken {
                    audiences: vec!["vault".to_owned()],
                    ..reviewed(AGENTS, Some("worker-1"))
                },
            );
        let kubernetes = builder.start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubernetes.kubeconfig()).unwrap();
        let mut settings = ReviewSettings {
            kubeconfig: Some(kubeconfig),
            audience: Some(AUDIENCE.to_owned()),
            ..ReviewSettings::default()
        };
        let tokens = tokens();
        let api = Api::start_with_tokens(database, Some(&tokens), |options| {
            change(options, &mut settings);
            options.token_review = Some(settings);
        })
        .await;
        let world = Self {
            kubernetes,
            api,
            _kubeconfig: folder,
        };
        let nodes = world
            .api
            .request(Method::POST, NODES)
            .bearer_auth("a-token-that-is-static");
        let answer = send(nodes.json(&json!([node_json(1, 1), node_json(2, 1)]))).await;
        assert_eq!(answer.results(), ["created", "created"]);
        world
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        send(self.api.request(Method::GET, path).bearer_auth(token)).await
    }

    fn reviews(&self) -> usize {
        let requests = self.kubernetes.requests();
        requests
            .iter()
            .filter(|request| request.resource == "tokenreviews")
            .count()
    }
}

#[tokio::test]
async fn one_account_serves_all_agents_and_each_reaches_only_its_own_node() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, |_, _| {}).await;
    let (one, two) = (format!("{NODES}/worker-1"), format!("{NODES}/worker-2"));
    for (token, own, other) in [("agent.of.one", &one, &two), ("agent.of.two", &two, &one)] {
        assert_eq!(world.get(token, own).await.status, StatusCode::OK);
        assert_eq!(world.get(token, other).await.problem().0, 403);
        assert_eq!(world.get(token, NODES).await.problem().0, 403);
        for (path, expected) in [(own, 204), (other, 403)] {
            let report = world
                .api
                .request(Method::PUT, &format!("{path}/status"))
                .bearer_auth(token);
            assert_eq!(
                send(report.json(&json!({"state": "Configured"}))).await.status,
                expected,
                "{token} {path}"
            );
        }
        let elsewhere = world
            .api
            .request(Method::GET, own)
            .bearer_auth(token)
            .header("x-provider-id", "biz-2");
        assert_eq!(send(elsewhere).await.problem().0, 400, "two clusters are none");
    }
    let reported = world.get("a-token-that-is-static", &one).await;
    assert_eq!(reported.json["status"]["reportedBy"], "agents on worker-1");
    let unbound = world.get("agent.of.none", &one).await;
    assert_eq!(unbound.problem().0, 403);
    assert!(
        unbound.json["detail"].as_str().unwrap().contains("not bound to a node"),
        "{unbound:?}"
    );
}

#[tokio::test]
async fn who_kubernetes_knows_is_allowed_what_the_file_says_and_nothing_else() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, |_, _| {}).await;
    for (token, expected) in [
        ("a.mere.account", 200),
        ("a.strange.account", 403),
        ("for.somebody.else", 401),
        ("nobody.knows.it", 401),
    ] {
        assert_eq!(world.get(token, NODES).await.status.as_u16(), expected, "{token}");
    }
    let write = world
        .api
        .request(Method::DELETE, &format!("{NODES}/worker-1"))
        .bearer_auth("a.mere.account");
    assert_eq!(send(write).await.problem().0, 403, "the group's role is viewer");
}

#[tokio::test]
async fn each_token_is_asked_for_once_however_many_ask() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, |_, _| {}).await;
    let matcher = Matcher::any().resource("tokenreviews");
    world
        .kubernetes
        .fail(matcher, Fault::Delay(Duration::from_millis(200)), Times::N(1));
    let many = (0..20).map(|_| world.get("a.mere.account", NODES));
    let answers = futures::future::join_all(many).await;
    assert!(
        answers.iter().all(|answer| answer.status == StatusCode::OK),
        "{answers:?}"
    );
    assert_eq!(world.reviews(), 1);
    for _ in 0..3 {
        world.get("a.mere.account", NODES).await;
        assert_eq!(world.get("nobody.knows.it", NODES).await.problem().0, 401);
    }
    assert_eq!(world.reviews(), 2);
    for other in [
        "not-of-kubernetes",
        "a.b",
        "a..c",
        &format!("a.b.{}", "c".repeat(9_000)),
    ] {
        assert_eq!(world.get(other, NODES).await.problem().0, 401);
    }
    assert_eq!(
        world.reviews(),
        2,
        "what cannot be a token of Kubernetes is not asked for"
    );
    let metrics = world.api.get("/metrics").await.json;
    for line in [
        "token_reviews_total{result=\"known\"} 1",
        "token_reviews_total{result=\"unknown\"} 1",
    ] {
        assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn while_kubernetes_is_away_only_its_tokens_have_to_wait() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, |_, settings| {
        settings.patience = Duration::from_millis(300);
        settings.known_for = Duration::ZERO;
    })
    .await;
    let matcher = || Matcher::any().resource("tokenreviews");
    for fault in [
        Fault::Status(500),
        Fault::Status(403),
        Fault::Status(429),
        Fault::Reset,
        Fault::Hang,
    ] {
        world.kubernetes.fail(matcher(), fault, Times::Always);
        let refused = world.get("a.mere.account", NODES).await;
        assert_eq!(refused.problem(), (503, "unavailable".to_owned()));
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(world.get("a-token-that-is-static", NODES).await.status, StatusCode::OK);
        assert_eq!(world.get("not-of-kubernetes", NODES).await.problem().0, 401);
        world.kubernetes.clear_faults();
    }
    world.kubernetes.stop().await;
    assert_eq!(world.get("a.mere.account", NODES).await.problem().0, 503);
    world.kubernetes.restart().await.unwrap();
    assert_eq!(world.get("a.mere.account", NODES).await.status, StatusCode::OK);
}

#[tokio::test]
async fn more_reviews_at_once_than_allowed_have_to_come_again() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, |_, settings| settings.at_once = 0).await;
    assert_eq!(world.get("a.mere.account", NODES).await.problem().0, 503);
    assert_eq!(world.reviews(), 0);
}

#[tokio::test]
async fn a_watch_outlives_an_outage_of_kubernetes_but_not_its_token() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, |options, settings| {
        options.limits.recheck = Duration::from_millis(10);
        settings.known_for = Duration::ZERO;
        settings.unknown_for = Duration::ZERO;
    })
    .await;
    let path = format!("{NODES}?watch=true&nodeName=worker-1");
    let request = world.api.request(Method::GET, &path).bearer_auth("agent.of.one");
    let mut watch = request.send().await.unwrap();
    assert_eq!(watch.status(), StatusCode::OK);
    assert!(watch.chunk().await.unwrap().is_some());
    world.kubernetes.fail(
        Matcher::any().resource("tokenreviews"),
        Fault::Status(500),
        Times::Always,
    );
    let failed = |requests: &[multinic_lab_kubernetes::LoggedRequest]| {
        requests.iter().filter(|request| request.status == 500).count() >= 3
    };
    world.kubernetes.until_requests(failed).await;
    let write = world
        .api
        .request(Method::POST, NODES)
        .bearer_auth("a-token-that-is-static");
    assert_eq!(send(write.json(&json!([node_json(1, 2)]))).await.results(), ["updated"]);
    let mut seen = String::new();
    while !seen.contains("event: updated") {
        seen.push_str(std::str::from_utf8(&watch.chunk().await.unwrap().unwrap()).unwrap());
    }
    world.kubernetes.clear_faults();
    world.kubernetes.forget_token("agent.of.one");
    while watch.chunk().await.unwrap().is_some() {}
}

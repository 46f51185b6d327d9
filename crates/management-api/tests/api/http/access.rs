//! Who may do what. SQLite only: access is decided before the database is asked.

use multinic_management_api::server::{Options, Server, ServerError};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{
    api::{Answer, Api, NODES, PROVIDERS, send},
    configs::{digest, node_json},
    database::TestDatabase,
};

/// The digests of `token-of-NAME`.
const TOKENS: &str = r#"tokens:
- {name: operator, role: operator, providers: ["*"], sha256: OPERATOR}
- {name: tenant, role: operator, providers: [biz-2], sha256: TENANT}
- {name: viewer, role: viewer, providers: [biz-1], sha256: VIEWER}
- {name: agent, role: agent, providers: [biz-1], nodes: [worker-1], sha256: AGENT}
"#;

async fn api(database: &TestDatabase) -> Api {
    let tokens = ["operator", "tenant", "viewer", "agent"]
        .iter()
        .fold(TOKENS.to_owned(), |tokens, name| {
            tokens.replace(&name.to_uppercase(), &digest(&format!("token-of-{name}")))
        });
    Api::start_with_tokens(database, Some(&tokens), |_| {}).await
}

async fn ask(api: &Api, name: &str, method: Method, path: &str) -> Answer {
    let request = api
        .request(method.clone(), path)
        .bearer_auth(format!("token-of-{name}"));
    let request = match (method, path) {
        (Method::POST, _) => request.json(&json!([node_json(1, 1), node_json(2, 1)])),
        (Method::PUT, path) if path.ends_with("status") => request.json(&json!({"state": "Pending"})),
        (Method::PUT, _) => request.json(&json!({})),
        _ => request,
    };
    send(request).await
}

#[tokio::test]
async fn each_role_may_do_its_part_and_no_more() {
    let database = TestDatabase::sqlite();
    let api = api(&database).await;
    let one = format!("{NODES}/worker-1");
    let two = format!("{NODES}/worker-2");
    let (status, status_two) = (format!("{one}/status"), format!("{two}/status"));
    let revisions = format!("{one}/revisions");
    let by_instance = format!("{NODES}/by-instance/i-0001");
    let only_one = format!("{NODES}?nodeName=worker-1");
    let only_two = format!("{NODES}?nodeName=worker-2");
    let provider = format!("{PROVIDERS}/biz-1");
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    //          method,  path,         operator, tenant, viewer, agent
    let table = [
        (&post, NODES, [200, 403, 403, 403]),
        (&get, NODES, [200, 403, 200, 403]),
        (&get, &only_one, [200, 403, 200, 200]),
        (&get, &only_two, [200, 403, 200, 403]),
        (&get, &one, [200, 403, 200, 200]),
        (&get, &two, [200, 403, 200, 403]),
        (&get, &by_instance, [200, 403, 200, 200]),
        (&get, &revisions, [200, 403, 200, 403]),
        (&put, &status, [204, 403, 403, 204]),
        (&put, &status_two, [204, 403, 403, 403]),
        (&get, PROVIDERS, [200, 200, 200, 403]),
        (&get, &provider, [200, 403, 200, 403]),
        (&put, &provider, [200, 403, 403, 403]),
        (&delete, &provider, [409, 403, 403, 403]),
        (&delete, &two, [204, 403, 403, 403]),
    ];
    for (method, path, expected) in table {
        for (name, expected) in ["operator", "tenant", "viewer", "agent"].iter().zip(expected) {
            let answer = ask(&api, name, method.clone(), path).await;
            assert_eq!(
                answer.status.as_u16(),
                expected,
                "{name} {method} {path}: {}",
                answer.json
            );
        }
    }
    let seen = ask(&api, "tenant", Method::GET, PROVIDERS).await;
    assert_eq!(seen.json["items"], json!([]), "a cluster of others is not even named");
}

#[tokio::test]
async fn without_a_known_token_nothing_but_the_probes_answers() {
    let database = TestDatabase::sqlite();
    let api = api(&database).await;
    for path in [NODES, PROVIDERS, &format!("{NODES}/worker-1")] {
        for authorization in ["", "Bearer", "Bearer wrong", "Basic dG9rZW4=", "token-of-operator"] {
            let request = api.request(Method::GET, path).header("authorization", authorization);
            let answer = send(request).await;
            assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{authorization:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(api.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn history_says_who_it_was() {
    let database = TestDatabase::sqlite();
    let api = api(&database).await;
    ask(&api, "operator", Method::POST, NODES).await;
    let history = ask(&api, "viewer", Method::GET, &format!("{NODES}/worker-1/revisions")).await;
    assert_eq!(history.json["items"][0]["changedBy"], "operator");
}

#[tokio::test]
async fn the_cluster_has_to_be_named_once_and_well() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let missing = send(client.get(api.url(NODES))).await;
    assert_eq!(missing.problem().0, 400);
    assert_eq!(missing.json["errors"][0]["at"], "x-provider-id");
    let twice = send(api.request(Method::GET, NODES).header("x-provider-id", "biz-2")).await;
    assert_eq!(twice.problem().0, 400);
    for bad in ["", "a/b", "a b", ".."] {
        let answer = send(client.get(api.url(NODES)).header("x-provider-id", bad)).await;
        assert_eq!(answer.problem().0, 400, "{bad:?}");
    }
}

#[tokio::test]
async fn without_tokens_only_loopback_is_listened_on() {
    let database = TestDatabase::sqlite();
    let options = Options::new("0.0.0.0:0".parse().unwrap(), database.settings());
    let refused = Server::start(options, CancellationToken::new()).await;
    assert!(matches!(refused, Err(ServerError::Open { .. })), "{refused:?}");
}

#[tokio::test]
async fn other_paths_and_methods_are_problems() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    assert_eq!(api.get("/").await.problem(), (404, "not-found".to_owned()));
    assert_eq!(api.get("/v1/k8s/multinic").await.problem().0, 404);
    assert_eq!(
        api.delete(NODES).await.problem(),
        (405, "method-not-allowed".to_owned())
    );
    assert_eq!(api.get(&format!("{NODES}/Not_A_Node")).await.problem().0, 400);
    assert_eq!(api.get(&format!("{NODES}/%FF")).await.problem().0, 400);
}

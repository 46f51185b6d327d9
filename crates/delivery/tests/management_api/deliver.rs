//! Delivering to a server whose every answer is written here.

use std::{collections::BTreeMap, time::Duration};

use crate::support::{TOKEN, client, cluster, in_batches_of, node_json, nodes, numbers, settings};
use multinic_delivery::{AlwaysOpen, Delivery, ManagementApiSettings, NodeResult};
use multinic_model::NodeConfig;
use multinic_testing::server::{Reply, Request, Server};
use multinic_transport::Endpoint;
use serde_json::{Value, json};

fn all(nodes: &[NodeConfig]) -> Vec<&NodeConfig> {
    nodes.iter().collect()
}

/// The outcome of each node by name: `{"worker-1": "created", …}`.
fn outcomes(delivery: &Delivery) -> BTreeMap<&str, &'static str> {
    delivery
        .nodes
        .iter()
        .map(|(node, result)| (node.as_str(), result.name()))
        .collect()
}

fn every(outcome: &'static str, count: usize) -> Vec<&'static str> {
    vec![outcome; count]
}

fn names(delivery: &Delivery) -> Vec<&'static str> {
    delivery.nodes.values().map(NodeResult::name).collect()
}

fn message(delivery: &Delivery, node: &str) -> String {
    match &delivery.nodes[&node.parse().unwrap()] {
        NodeResult::Failed { message, .. } => message.clone(),
        NodeResult::Rejected { error } => error.clone(),
        other => panic!("{other:?}"),
    }
}

fn category(delivery: &Delivery, node: &str) -> &'static str {
    match &delivery.nodes[&node.parse().unwrap()] {
        NodeResult::Failed { error, .. } => error.category(),
        other => panic!("{other:?}"),
    }
}

/// Answers as our own server does.
fn created(request: &Request) -> Reply {
    let result =
        |number| json!({"nodeName": format!("worker-{number}"), "status": "created", "revision": 7, "error": null});
    let results: Vec<Value> = numbers(request).into_iter().map(result).collect();
    Reply::json(200, json!({"results": results}).to_string())
}

#[tokio::test]
async fn the_request_is_the_contract_byte_for_byte() {
    let server = Server::answering(created).await;
    let (api, _) = client(ManagementApiSettings {
        token: Some(TOKEN.into()),
        ..settings(&server)
    });
    let configs = nodes(2);
    let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
    assert_eq!(names(&delivery), ["created", "created"]);
    assert!(delivery.is_complete());
    assert!(matches!(
        delivery.nodes.values().next(),
        Some(NodeResult::Created { revision: Some(7) })
    ));
    let request = &server.requests()[0];
    assert_eq!(server.lines(), ["POST /v1/k8s/multinic/node-configs"]);
    assert_eq!(request.headers["x-provider-id"], cluster().as_str());
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(request.body, multinic_delivery::body(&all(&configs)).unwrap());
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!([node_json(1), node_json(2)]));
}

#[tokio::test]
async fn nothing_to_deliver_sends_nothing() {
    let server = Server::scripted([]).await;
    let (api, _) = client(settings(&server));
    let delivery = api.deliver(&cluster(), &[], &AlwaysOpen).await;
    assert!(delivery.is_complete() && delivery.nodes.is_empty() && delivery.batches.is_empty());
    assert_eq!(api.requests(), 0);
}

#[tokio::test]
async fn batches_follow_one_another_in_the_given_order() {
    let server = Server::answering(created).await;
    let api = in_batches_of(&server, 3);
    let configs = nodes(7);
    let reversed: Vec<_> = configs.iter().rev().collect();
    let delivery = api.deliver(&cluster(), &reversed, &AlwaysOpen).await;
    let sent: Vec<_> = server.requests().iter().map(numbers).collect();
    assert_eq!(sent, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
    assert_eq!(names(&delivery), every("created", 7));
    assert_eq!(
        delivery.batches.iter().map(|batch| batch.nodes).collect::<Vec<_>>(),
        [3, 3, 1]
    );
    assert_eq!(api.requests(), 3);
}

#[tokio::test]
async fn two_hundred_nodes_are_one_batch_by_default() {
    let server = Server::answering(created).await;
    let (api, _) = client(settings(&server));
    let configs = nodes(201);
    api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
    assert_eq!(
        server
            .requests()
            .iter()
            .map(|request| numbers(request).len())
            .collect::<Vec<_>>(),
        [200, 1]
    );
}

#[tokio::test]
async fn each_node_gets_its_own_result_at_200_207_and_422() {
    for status in [200, 201, 207, 422] {
        let results = json!({"results": [
            {"nodeName": "worker-2", "status": "updated", "revision": 2},
            {"nodeName": "worker-1", "status": "created"},
            {"nodeName": "worker-3", "status": "unchanged", "revision": 9},
            {"nodeName": "worker-4", "status": "rejected", "error": "the MAC belongs to\nworker-9"},
            {"nodeName": "worker-5", "status": "rejected", "error": {"code": "E7"}},
            {"nodeName": "worker-6", "status": "rejected"},
            {"nodeName": "worker-7", "status": "postponed"},
            {"nodeName": "worker-9", "status": "created"},
            {"nodeName": 10, "status": "created"},
        ]});
        let server = Server::scripted([Reply::json(status, results.to_string())]).await;
        let (api, _) = client(settings(&server));
        let configs = nodes(8);
        let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
        let expected = [
            "created",
            "updated",
            "unchanged",
            "rejected",
            "rejected",
            "rejected",
            "failed",
            "failed",
        ];
        assert_eq!(names(&delivery), expected, "{status}");
        assert!(!delivery.is_complete());
        assert_eq!(message(&delivery, "worker-4"), "the MAC belongs to worker-9");
        assert_eq!(message(&delivery, "worker-5"), r#"{"code":"E7"}"#);
        assert_eq!(message(&delivery, "worker-6"), "the server gives no reason");
        assert_eq!(category(&delivery, "worker-7"), "unknown_result");
        assert_eq!(
            category(&delivery, "worker-8"),
            "no_result",
            "missing is never assumed good"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn of_two_results_for_one_node_the_worse_counts() {
    for order in [["created", "rejected"], ["rejected", "created"]] {
        let results = order.map(|status| json!({"nodeName": "worker-1", "status": status}));
        let server = Server::scripted([Reply::json(200, json!({"results": results}).to_string())]).await;
        let (api, _) = client(settings(&server));
        let configs = nodes(1);
        assert_eq!(
            names(&api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await),
            ["rejected"]
        );
    }
}

#[tokio::test]
async fn a_plain_success_is_accepted_as_such() {
    for reply in [
        Reply::status(200),
        Reply::status(201),
        Reply::status(202),
        Reply::status(204),
        Reply::json(200, r#"{"returnCode": "200"}"#),
        Reply::json(200, "[]"),
        Reply::json(200, "null"),
        Reply::json(200, "OK"),
        Reply::status(200).header("content-type", "text/plain").body("created"),
    ] {
        let server = Server::scripted([reply.clone()]).await;
        let (api, _) = client(settings(&server));
        let configs = nodes(2);
        assert_eq!(
            names(&api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await),
            every("accepted", 2),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_or_wrong_is_never_assumed_good() {
    for reply in [
        Reply::json(200, r#"{"results": [{"nodeName": "worker-1", "status": "cre"#),
        Reply::json(200, r#"{"results": null}"#),
        Reply::json(200, r#"{"results": {"worker-1": "created"}}"#),
        Reply::json(200, r#"{"results": []}"#),
        Reply::json(200, r#"{"results": [7, null]}"#),
        Reply::status(207),
        Reply::json(207, "{}"),
        Reply::status(422),
        Reply::json(422, r#"{"results": "#),
    ] {
        let server = Server::scripted([reply.clone()]).await;
        let (api, _) = client(settings(&server));
        let configs = nodes(2);
        let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
        assert_eq!(names(&delivery), every("failed", 2), "{reply:?}");
        assert_eq!(server.requests().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let moved = Reply::status(307).header("location", "https://elsewhere.example/");
    for (first, attempts, category) in [
        (Reply::Closed, 2, ""),
        (Reply::Truncated(Vec::new()), 2, ""),
        (Reply::status(408), 2, ""),
        (Reply::status(429), 2, ""),
        (Reply::status(500), 2, ""),
        (Reply::status(502), 2, ""),
        (Reply::status(503), 2, ""),
        (Reply::status(504), 2, ""),
        (Reply::status(400), 1, "status"),
        (Reply::status(401), 1, "unauthorised"),
        (Reply::status(403), 1, "unauthorised"),
        (Reply::status(404), 1, "not_offered"),
        (Reply::status(405), 1, "not_offered"),
        (Reply::status(409), 1, "status"),
        (Reply::status(413), 1, "too_large"),
        (Reply::status(415), 1, "status"),
        (Reply::status(422), 1, "status"),
        (Reply::status(501), 1, "status"),
        (moved, 1, "redirected"),
    ] {
        let mut script = vec![first.clone()].into_iter();
        let server = Server::answering(move |request| script.next().unwrap_or_else(|| created(request))).await;
        let (api, waited) = client(settings(&server));
        let configs = nodes(1);
        let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
        if attempts == 2 {
            assert_eq!(names(&delivery), ["created"], "{first:?}");
        } else {
            assert_eq!(self::category(&delivery, "worker-1"), category, "{first:?}");
        }
        assert_eq!(server.requests().len(), attempts, "{first:?}");
        assert_eq!(waited.lock().unwrap().len(), attempts - 1, "{first:?}");
        let bodies: Vec<_> = server.requests().iter().map(numbers).collect();
        assert_eq!(bodies, vec![vec![1]; attempts], "each attempt sends the whole body");
    }
}

#[tokio::test]
async fn retry_after_is_honoured_and_cut_to_its_cap() {
    for (value, seconds) in [("7", 7), ("86400", 60)] {
        let server = Server::answering(move |_| Reply::status(429).header("retry-after", value)).await;
        let (api, waited) = client(settings(&server));
        let configs = nodes(1);
        let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
        assert_eq!(*waited.lock().unwrap(), [Duration::from_secs(seconds); 3]);
        let url = server.url();
        let expected =
            format!("failed to POST {url}v1/k8s/multinic/node-configs: the server answered 429 (4 attempts)");
        assert_eq!(message(&delivery, "worker-1"), expected);
    }
}

#[tokio::test]
async fn a_failed_batch_does_not_stop_the_later_ones() {
    let answer = |request: &Request| {
        if numbers(request)[0] == 3 {
            Reply::status(400)
        } else {
            created(request)
        }
    };
    let server = Server::answering(answer).await;
    let configs = nodes(6);
    let delivery = in_batches_of(&server, 2)
        .deliver(&cluster(), &all(&configs), &AlwaysOpen)
        .await;
    assert_eq!(
        names(&delivery),
        ["created", "created", "failed", "failed", "created", "created"]
    );
    assert_eq!(
        delivery
            .batches
            .iter()
            .map(|batch| batch.error.is_some())
            .collect::<Vec<_>>(),
        [false, true, false]
    );
}

#[tokio::test]
async fn a_server_that_is_down_costs_six_attempts_however_many_batches_wait() {
    for reply in [Reply::Closed, Reply::status(503)] {
        let server = Server::answering(move |_| reply.clone()).await;
        let configs = nodes(50);
        let api = in_batches_of(&server, 1);
        let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
        assert_eq!(names(&delivery), every("failed", 50));
        assert_eq!(delivery.batches.len(), 3);
        let first: Vec<_> = server.requests().iter().map(|request| numbers(request)[0]).collect();
        assert_eq!(
            first,
            [1, 1, 1, 1, 2, 3],
            "four attempts, then one for each of two more batches"
        );
    }
}

#[tokio::test]
async fn after_a_good_batch_the_next_one_has_all_its_attempts_again() {
    let mut seen = 0;
    let answer = move |request: &Request| {
        seen += 1;
        // Batch 1 fails for good, batch 2 works, batch 3 needs a second attempt.
        if seen <= 4 || seen == 6 {
            Reply::status(503)
        } else {
            created(request)
        }
    };
    let server = Server::answering(answer).await;
    let configs = nodes(3);
    let delivery = in_batches_of(&server, 1)
        .deliver(&cluster(), &all(&configs), &AlwaysOpen)
        .await;
    assert_eq!(names(&delivery), ["failed", "created", "created"]);
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn a_refusal_of_every_request_is_asked_for_once() {
    for status in [401, 403, 404, 405, 302] {
        let server = Server::answering(move |_| Reply::status(status)).await;
        let configs = nodes(5);
        let delivery = in_batches_of(&server, 1)
            .deliver(&cluster(), &all(&configs), &AlwaysOpen)
            .await;
        assert_eq!(names(&delivery), every("failed", 5), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let answer = |request: &Request| {
        if numbers(request).len() > 2 {
            Reply::status(413)
        } else {
            created(request)
        }
    };
    let server = Server::answering(answer).await;
    let configs = nodes(9);
    let delivery = in_batches_of(&server, 7)
        .deliver(&cluster(), &all(&configs), &AlwaysOpen)
        .await;
    assert_eq!(names(&delivery), every("created", 9));
    let sent: Vec<_> = server.requests().iter().map(numbers).collect();
    let expected: [&[usize]; 8] = [
        &[1, 2, 3, 4, 5, 6, 7],
        &[1, 2, 3, 4],
        &[1, 2],
        &[3, 4],
        &[5, 6, 7],
        &[5, 6],
        &[7],
        &[8, 9],
    ];
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn one_node_that_is_too_large_fails_alone() {
    let answer = |request: &Request| {
        if numbers(request).contains(&2) {
            Reply::status(413)
        } else {
            created(request)
        }
    };
    let server = Server::answering(answer).await;
    let configs = nodes(4);
    let delivery = in_batches_of(&server, 4)
        .deliver(&cluster(), &all(&configs), &AlwaysOpen)
        .await;
    assert_eq!(names(&delivery), ["created", "failed", "created", "created"]);
    assert_eq!(category(&delivery, "worker-2"), "too_large");
}

#[tokio::test]
async fn a_name_given_twice_has_the_worse_outcome() {
    let mut script = [Reply::status(400)].into_iter();
    let server = Server::answering(move |request| script.next().unwrap_or_else(|| created(request))).await;
    let configs = nodes(1);
    let delivery = in_batches_of(&server, 1)
        .deliver(&cluster(), &[&configs[0], &configs[0]], &AlwaysOpen)
        .await;
    assert_eq!(outcomes(&delivery), BTreeMap::from([("worker-1", "failed")]));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_problem_document_is_shown_on_one_line() {
    let problem = json!({"title": "Bad Request", "detail": "x-provider-id\r\n\u{1b}[31m is unknown"}).to_string();
    let reply = Reply::status(400)
        .header("content-type", "application/problem+json")
        .body(problem);
    let server = Server::scripted([reply]).await;
    let (api, _) = client(settings(&server));
    let configs = nodes(1);
    let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
    let message = message(&delivery, "worker-1");
    assert!(
        message.ends_with("answered 400 (1 attempts): x-provider-id [31m is unknown"),
        "{message}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_times_out() {
    let server = Server::answering(|_| Reply::Silence).await;
    let transport = Endpoint {
        timeout: Duration::from_millis(20),
        ..Endpoint::default()
    };
    let (api, _) = client(ManagementApiSettings {
        transport,
        ..settings(&server)
    });
    let configs = nodes(1);
    let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
    assert!(message(&delivery, "worker-1").ends_with("no answer in time (4 attempts)"));
}

#[tokio::test]
async fn no_secret_is_shown_even_if_the_server_repeats_it() {
    for status in [200, 400, 401, 503] {
        let echo = json!({"detail": format!("token {TOKEN}"),
            "results": [{"nodeName": "worker-1", "status": "rejected", "error": format!("token {TOKEN}")}]});
        let server = Server::answering(move |_| Reply::json(status, echo.to_string())).await;
        let settings = ManagementApiSettings {
            token: Some(TOKEN.into()),
            ..settings(&server)
        };
        let shown = format!("{settings:?}");
        let (api, _) = client(settings);
        let configs = nodes(1);
        let delivery = api.deliver(&cluster(), &all(&configs), &AlwaysOpen).await;
        let shown = format!("{shown} {api:?} {delivery:?}");
        assert!(!shown.contains(TOKEN) && shown.contains("token [token]"), "{shown}");
    }
}

/// The operator moves its passes between threads.
#[test]
fn the_calls_may_be_spawned() {
    const fn is_send<T: Send>(_: &T) {}
    let (api, _) = client(ManagementApiSettings::new("http://api.example".parse().unwrap()));
    let cluster = cluster();
    is_send(&api.deliver(&cluster, &[], &AlwaysOpen));
    is_send(&api.read_back(&cluster));
    is_send(&api.probe(&cluster));
}

//! The receiver: contract 3.3 of the management API, or as little of it as another server has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_lab::{Fault, Receiver, Service};
use serde_json::{Value, json};
use support::{Answer, ask, try_ask};

const PATH: &str = "/v1/k8s/multinic/node-configs";

fn node(name: &str, addresses: &[&str]) -> Value {
    let interface = |(id, address): (usize, &&str)| json!({"id": id, "macAddress": format!("fa:16:3e:00:00:{id:02x}"), "address": address, "cidr": "10.0.0.0/24", "mtu": 1500});
    let interfaces: Vec<_> = (1..).zip(addresses).map(interface).collect();
    json!({"nodeName": name, "instanceId": format!("i-{name}"), "interfaces": interfaces})
}

fn send(receiver: &Receiver, method: &str, rest: &str, body: &str) -> Answer {
    ask(
        method,
        &format!("{}{PATH}{rest}", receiver.url()),
        &[("x-provider-id", "cluster-1")],
        body,
    )
}

fn post(receiver: &Receiver, nodes: &[Value]) -> Answer {
    send(receiver, "POST", "", &json!(nodes).to_string())
}

#[test]
fn results_say_created_updated_or_unchanged_and_count_revisions() {
    let receiver = Receiver::start().unwrap();
    let steps = [
        (&["10.0.0.1"][..], "created", 1),
        (&["10.0.0.1"], "unchanged", 1),
        (&["10.0.0.2"], "updated", 2),
        (&[], "updated", 3),
    ];
    for (addresses, status, revision) in steps {
        let answer = post(&receiver, &[node("worker-1", addresses)]);
        let result = json!({"nodeName": "worker-1", "status": status, "revision": revision, "error": null});
        assert_eq!((answer.status, answer.json()), (200, json!({"results": [result]})));
    }
    assert_eq!(
        receiver.node_configs("cluster-1"),
        json!({"worker-1": node("worker-1", &[])})
    );
    assert_eq!(receiver.node_configs("cluster-2"), json!({}));
}

#[test]
fn some_rejected_nodes_are_207_and_only_rejected_ones_422() {
    let receiver = Receiver::start().unwrap();
    receiver.reject("bad", "not here");
    let mixed = post(&receiver, &[node("good", &["10.0.0.1"]), node("bad", &["10.0.0.2"])]);
    assert_eq!(mixed.status, 207);
    let rejected = json!({"nodeName": "bad", "status": "rejected", "revision": null, "error": "not here"});
    assert_eq!(mixed.json()["results"][1], rejected);
    assert_eq!(post(&receiver, &[node("bad", &[])]).status, 422);
    let wrong = post(&receiver, &[node("outside", &["10.9.0.1"])]);
    assert_eq!(
        (wrong.status, wrong.json()["results"][0]["status"].as_str()),
        (422, Some("rejected"))
    );
    assert_eq!(receiver.node_configs("cluster-1").as_object().unwrap().len(), 1);
}

#[test]
fn a_request_without_cluster_or_list_is_400() {
    let receiver = Receiver::start().unwrap();
    assert_eq!(ask("POST", &format!("{}{PATH}", receiver.url()), &[], "[]").status, 400);
    assert_eq!(send(&receiver, "POST", "", "{}").status, 400);
    assert_eq!(send(&receiver, "POST", "", "[").status, 400);
    assert_eq!(send(&receiver, "GET", "?limit=0", "").status, 400);
    assert_eq!(send(&receiver, "PUT", "", "[]").status, 405);
}

#[test]
fn pages_give_every_node_once() {
    let receiver = Receiver::start().unwrap();
    let nodes: Vec<_> = (0..7).map(|n| node(&format!("n-{n}"), &["10.0.0.1"])).collect();
    post(&receiver, &nodes);
    for (limit, pages) in [(1, 7), (3, 3), (7, 1), (100, 1)] {
        let (mut names, mut cursor, mut count) = (Vec::new(), String::new(), 0);
        loop {
            let page = send(&receiver, "GET", &format!("?limit={limit}&cursor={cursor}"), "");
            names.extend(page.column("items", "nodeName"));
            count += 1;
            let Some(next) = page.json()["nextCursor"].as_str().map(ToOwned::to_owned) else {
                break;
            };
            cursor = next;
        }
        assert_eq!(names, (0..7).map(|n| format!("n-{n}")).collect::<Vec<_>>());
        assert_eq!(count, pages, "limit {limit}");
    }
    receiver.set_page_max(2);
    let page = send(&receiver, "GET", "", "").json();
    assert_eq!(
        (page["items"].as_array().unwrap().len(), page["nextCursor"].as_str()),
        (2, Some("n-1"))
    );
    let first = &page["items"][0];
    assert_eq!(
        (first["revision"].as_u64(), first["instanceId"].as_str()),
        (Some(1), Some("i-n-0"))
    );
    assert!(first["updatedAt"].is_string() && first["interfaces"].is_array());
}

#[test]
fn a_deleted_node_is_gone() {
    let receiver = Receiver::start().unwrap();
    post(&receiver, &[node("worker-1", &["10.0.0.1"])]);
    let gone = send(&receiver, "DELETE", "/worker-1", "");
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    assert_eq!(receiver.node_configs("cluster-1"), json!({}));
    assert_eq!(send(&receiver, "DELETE", "/worker-1", "").status, 404);
}

#[test]
fn a_plain_server_answers_next_to_nothing_and_still_remembers() {
    let receiver = Receiver::plain(204, 405).unwrap();
    let answer = post(&receiver, &[node("worker-1", &["10.0.0.1"])]);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(send(&receiver, "GET", "", "").status, 405);
    assert_eq!(send(&receiver, "DELETE", "/worker-1", "").status, 405);
    assert_eq!(receiver.node_configs("cluster-1").as_object().unwrap().len(), 1);
}

#[test]
fn every_post_is_kept_byte_for_byte_without_its_token() {
    let receiver = Receiver::start().unwrap();
    receiver.require_token("t0ken");
    let url = format!("{}{PATH}", receiver.url());
    let headers = |token| [("x-provider-id", "c"), ("Authorization", token)];
    assert_eq!(ask("POST", &url, &headers("Bearer wrong"), "[]").status, 401);
    assert_eq!(ask("POST", &url, &headers("Bearer t0ken"), "[ ]").status, 200);
    let posts = receiver.posts();
    assert_eq!(
        posts.iter().map(|post| post.body.as_str()).collect::<Vec<_>>(),
        ["[]", "[ ]"]
    );
    assert_eq!((posts[1].cluster.as_str(), posts[1].json()), ("c", json!([])));
    assert!(!format!("{posts:?}{:?}", receiver.requests()).contains("t0ken"));
    receiver.clear_requests();
    assert!(receiver.posts().is_empty() && receiver.requests().is_empty());
}

#[test]
fn a_lost_answer_has_done_its_work_and_a_reset_has_not() {
    let receiver = Receiver::start().unwrap();
    receiver.faults().at(Service::ManagementApi).inject(Fault::Reset);
    receiver
        .faults()
        .at(Service::ManagementApi)
        .nth(2)
        .inject(Fault::AnswerLost);
    let body = json!([node("worker-1", &["10.0.0.1"])]).to_string();
    let send = || {
        try_ask(
            "POST",
            &format!("{}{PATH}", receiver.url()),
            &[("x-provider-id", "c")],
            &body,
        )
    };
    assert!(send().is_none());
    assert_eq!((receiver.posts().len(), receiver.node_configs("c")), (0, json!({})));
    assert!(send().is_none());
    assert_eq!(
        (
            receiver.posts().len(),
            receiver.node_configs("c").as_object().unwrap().len()
        ),
        (1, 1)
    );
    assert_eq!(send().unwrap().json()["results"][0]["status"], "unchanged");
}

#[tokio::test]
async fn a_held_answer_comes_never_although_the_node_config_was_taken_and_that_can_be_waited_for() {
    let receiver = Receiver::start().unwrap();
    receiver.faults().at(Service::ManagementApi).inject(Fault::AnswerHeld);
    let url = format!("{}{PATH}", receiver.url());
    let body = json!([node("worker-1", &["10.0.0.1"])]).to_string();
    let post = tokio::spawn(
        reqwest::Client::new()
            .post(url)
            .header("x-provider-id", "cluster-1")
            .body(body)
            .send(),
    );
    receiver
        .until(|requests| requests.iter().any(|request| request.method == "POST"))
        .await;
    assert_eq!(receiver.requests()[0].status, None);
    assert_eq!(
        receiver.node_configs("cluster-1"),
        json!({"worker-1": node("worker-1", &["10.0.0.1"])})
    );
    assert!(!post.is_finished());
    receiver.lose_node_configs();
    assert_eq!(receiver.node_configs("cluster-1"), json!({}));
}

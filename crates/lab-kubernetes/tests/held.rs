//! Requests that are never answered: whether they were done is what a client cannot know.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use serde_json::json;

async fn lab() -> (KubernetesLab, reqwest::Client) {
    let lab = KubernetesLab::builder().start().await.unwrap();
    let certificate = reqwest::Certificate::from_pem(lab.certificate().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .build()
        .unwrap();
    (lab, client)
}

fn create(lab: &KubernetesLab, client: &reqwest::Client, name: &str) -> tokio::task::JoinHandle<reqwest::Result<u16>> {
    let url = format!("{}/api/v1/namespaces/default/configmaps", lab.url());
    let request = client.post(url).bearer_auth("admin-token");
    let request = request.json(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}));
    tokio::spawn(async move { Ok(request.send().await?.status().as_u16()) })
}

#[tokio::test]
async fn a_held_answer_was_done_and_a_hanging_request_was_not() {
    let (lab, client) = lab().await;
    for (fault, name, done) in [(Fault::Hang, "hangs", false), (Fault::AnswerHeld, "held", true)] {
        lab.clear_requests();
        lab.fail(Matcher::any().verb("create").resource("configmaps"), fault, Times::N(1));
        let request = create(&lab, &client, name);
        lab.until_requests(|requests| requests.iter().any(|request| request.faulted))
            .await;
        assert_eq!(
            lab.get("configmaps", "default", name).unwrap().is_some(),
            done,
            "{name}"
        );
        assert!(!request.is_finished());
        request.abort();
    }
}

#[tokio::test]
async fn only_the_nth_request_is_met() {
    let (lab, client) = lab().await;
    lab.fail(Matcher::any().verb("create").nth(3), Fault::Status(503), Times::N(1));
    let mut answers = Vec::new();
    for name in ["a", "b", "c", "d"] {
        answers.push(create(&lab, &client, name).await.unwrap().unwrap());
    }
    assert_eq!(answers, [201, 201, 503, 201]);
}

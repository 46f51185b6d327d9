//! The Kubernetes API goes away, comes back, forgets, refuses: the operator goes on.

use futures::future::join_all;
use multinic_lab_kubernetes::{Fault, LoggedRequest, Matcher, Times};

use super::{
    replica::Replica,
    stage::{Stage, is_ready},
};

/// The replica that leads, with one VM delivered.
async fn leading(stage: &Stage) -> Replica {
    let replica = Replica::contender(stage, "a");
    stage.put("red", &["vm-1"]);
    stage.until_ready().await;
    replica
}

/// A further VM is delivered, and the first one is not sent again.
async fn goes_on(stage: &Stage, replica: &Replica) {
    stage.until_ready().await;
    let posts: Vec<_> = stage
        .receiver
        .posts()
        .iter()
        .map(|post| post.json()[0]["nodeName"].clone())
        .collect();
    assert_eq!(posts, ["vm-1", "vm-2"], "{}", replica.log());
}

fn count(requests: &[LoggedRequest], verb: &str, resource: &str) -> usize {
    requests
        .iter()
        .filter(|request| (request.verb, request.resource.as_str()) == (verb, resource))
        .count()
}

#[tokio::test]
async fn what_changed_while_the_api_server_was_away_is_found_when_it_is_back() {
    let stage = Stage::new().await;
    let replica = leading(&stage).await;
    stage.kubernetes.stop().await;
    stage.put("red", &["vm-1", "vm-2"]);
    // The watches cannot go on where they were.
    stage.kubernetes.compact();
    stage.kubernetes.start().await.unwrap();
    goes_on(&stage, &replica).await;
}

#[tokio::test]
async fn a_dropped_watch_is_taken_up_again() {
    let stage = Stage::new().await;
    let replica = leading(&stage).await;
    let watches = |requests: &[LoggedRequest]| count(requests, "watch", "openstackconfigs");
    let before = watches(&stage.kubernetes.requests());
    stage.kubernetes.drop_watches();
    stage
        .kubernetes
        .until_requests(|requests| watches(requests) > before)
        .await;
    stage.put("red", &["vm-1", "vm-2"]);
    goes_on(&stage, &replica).await;
}

#[tokio::test]
async fn a_watch_that_is_too_old_begins_with_a_new_list() {
    let stage = Stage::new().await;
    let replica = leading(&stage).await;
    let matcher = Matcher::any().verb("watch").resource("openstackconfigs");
    stage.kubernetes.fail(matcher, Fault::Status(410), Times::N(1));
    stage.kubernetes.drop_watches();
    stage.put("red", &["vm-1", "vm-2"]);
    goes_on(&stage, &replica).await;
    assert!(stage.kubernetes.requests().iter().any(|request| request.faulted));
}

#[tokio::test]
async fn conflicts_and_errors_of_every_write_are_got_over() {
    let codes = [(409, 2), (500, 2), (503, 1), (429, 1)];
    join_all(codes.map(|(code, times)| got_over(code, times))).await;
}

async fn got_over(code: u16, times: usize) {
    let objects = Matcher::any()
        .verb("patch")
        .resource("openstackconfigs")
        .subresource("");
    let status = Matcher::any()
        .verb("patch")
        .resource("openstackconfigs")
        .subresource("status");
    let lease = Matcher::any().verb("update").resource("leases");
    let stage = Stage::new().await;
    for matcher in [objects, status, lease] {
        stage.kubernetes.fail(matcher, Fault::Status(code), Times::N(times));
    }
    let replica = leading(&stage).await;
    stage.put("red", &["vm-1", "vm-2"]);
    stage.until_ready().await;
    // Until a renewal has failed too, and a later one has not.
    let renewed = |requests: &[LoggedRequest]| {
        let is_renewal = |request: &&LoggedRequest| (request.verb, &*request.resource) == ("update", "leases");
        let mut renewals = requests.iter().filter(is_renewal);
        renewals.by_ref().any(|request| request.faulted) && renewals.any(|request| request.status == 200)
    };
    stage.kubernetes.until_requests(renewed).await;
    assert!(is_ready(&stage.config()), "{code}\n{}", replica.log());
    assert_eq!(stage.delivered().len(), 2, "{code}\n{}", replica.log());
}

#[tokio::test]
async fn an_operator_that_starts_while_the_api_server_is_away_begins_when_it_is_there() {
    let stage = Stage::new().await;
    stage.put("red", &["vm-1", "vm-2"]);
    stage
        .kubernetes
        .fail(Matcher::any().verb("list"), Fault::Status(500), Times::N(2));
    stage.kubernetes.stop().await;
    let replica = Replica::contender(&stage, "a");
    stage.kubernetes.start().await.unwrap();
    stage.until_ready().await;
    assert_eq!(stage.delivered().len(), 2, "{}", replica.log());
    assert_eq!(replica.end().await.code(), Some(0));
}

#[tokio::test]
async fn asked_to_end_in_the_middle_of_a_pass_it_ends() {
    let stage = Stage::new().await;
    let replica = leading(&stage).await;
    let faults = stage.lab.faults();
    faults.anywhere().get("/ports").inject(multinic_lab::Fault::Hang);
    stage.put("red", &["vm-1", "vm-2"]);
    stage
        .lab
        .until(|requests| requests.iter().any(|request| request.faulted))
        .await;
    assert_eq!(replica.end().await.code(), Some(0));
    assert!(
        stage
            .kubernetes
            .get(
                "leases.coordination.k8s.io",
                super::stage::NAMESPACE,
                "multinic-operator"
            )
            .unwrap()
            .unwrap()["spec"]["holderIdentity"]
            .as_str()
            .is_none_or(str::is_empty)
    );
    let replica = Replica::contender(&stage, "b");
    goes_on(&stage, &replica).await;
}

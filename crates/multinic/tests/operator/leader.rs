//! Two replicas: one leads, and never two write.

use std::time::{Duration, SystemTime};

use multinic_lab::{Fault, Service};
use multinic_lab_kubernetes::LoggedRequest;

use super::{
    replica::Replica,
    stage::{Stage, is_ready},
};

/// The requests of one user that change something.
fn writes<'a>(requests: &'a [LoggedRequest], user: &'a str) -> impl Iterator<Item = &'a LoggedRequest> {
    let changes = |request: &&LoggedRequest| !matches!(request.verb, "get" | "list" | "watch");
    requests
        .iter()
        .filter(move |request| request.user == user)
        .filter(changes)
}

fn is_lease(request: &LoggedRequest) -> bool {
    request.resource == "leases"
}

/// Waits until that user has written the lease.
async fn until_leads(stage: &Stage, user: &str) {
    let leads =
        |requests: &[LoggedRequest]| writes(requests, user).any(|request| is_lease(request) && request.status < 300);
    stage.kubernetes.until_requests(leads).await;
}

/// Waits until that user has asked for the lease so often since then.
async fn until_asked(stage: &Stage, user: &str, since: SystemTime, times: usize) {
    let asked = |request: &&LoggedRequest| request.user == user && is_lease(request) && request.at > since;
    stage
        .kubernetes
        .until_requests(|requests| requests.iter().filter(asked).count() >= times)
        .await;
}

#[tokio::test]
async fn another_replica_takes_over_when_the_leader_is_killed_and_sends_nothing_that_is_there() {
    let stage = Stage::new().await;
    let first = Replica::contender(&stage, "a");
    until_leads(&stage, "a").await;
    let second = Replica::contender(&stage, "b");
    stage.put("red", &["vm-1", "vm-2"]);
    stage.until_ready().await;
    assert_eq!(stage.receiver.posts().len(), 2);

    first.kill();
    let killed = SystemTime::now();
    until_leads(&stage, "b").await;
    let requests = stage.kubernetes.requests();
    let took = writes(&requests, "b").find(|request| is_lease(request)).unwrap().at;
    let last = writes(&requests, "a")
        .filter(|request| is_lease(request))
        .last()
        .unwrap()
        .at;
    println!(
        "taken over {:.1} s after the kill, {:.1} s after the last renewal",
        seconds(killed, took),
        seconds(last, took)
    );
    // What decides is the time that others must let pass, not how fast this machine is.
    assert!(took.duration_since(last).unwrap() >= Duration::from_secs(15));
    assert!(writes(&requests, "b").all(is_lease), "{requests:#?}");

    stage.put("red", &["vm-1", "vm-2", "vm-3"]);
    stage.until_ready().await;
    let posts: Vec<_> = stage
        .receiver
        .posts()
        .into_iter()
        .map(|post| post.json()[0]["nodeName"].clone())
        .collect();
    assert_eq!(
        posts,
        ["vm-1", "vm-2", "vm-3"],
        "each node once, whoever leads\n{}",
        second.log()
    );
}

#[tokio::test]
async fn a_leader_that_is_stopped_in_the_middle_of_a_delivery_sends_nothing_when_it_wakes_up() {
    let stage = Stage::new().await;
    let first = Replica::contender(&stage, "a");
    until_leads(&stage, "a").await;
    // The answer to the first of three POSTs lies in its socket when it wakes up: nothing but the fence keeps it from
    // sending the second.
    stage
        .receiver
        .faults()
        .anywhere()
        .post("/node-configs")
        .inject(Fault::Delay(Duration::from_secs(5)));
    stage.put("red", &["vm-1", "vm-2", "vm-3"]);
    stage
        .receiver
        .until(|requests| requests.iter().any(|request| request.method == "POST"))
        .await;
    stopped_and_resumed(&stage, &first).await;
}

#[tokio::test]
async fn a_leader_that_is_stopped_while_it_reads_writes_nothing_when_it_wakes_up() {
    let stage = Stage::new().await;
    let first = Replica::contender(&stage, "a");
    until_leads(&stage, "a").await;
    let faults = stage.lab.faults();
    faults
        .at(Service::Neutron)
        .get("/v2.0/ports")
        .inject(Fault::Delay(Duration::from_secs(5)));
    stage.put("red", &["vm-1", "vm-2", "vm-3"]);
    stage
        .lab
        .until(|requests| requests.iter().any(|request| request.path().ends_with("/ports")))
        .await;
    stopped_and_resumed(&stage, &first).await;
}

/// Stops the leader, lets another one take over and do all the work, and wakes the first one up.
async fn stopped_and_resumed(stage: &Stage, first: &Replica) {
    first.pause();
    let second = Replica::contender(stage, "b");
    until_leads(stage, "b").await;
    stage.until_ready().await;
    let delivered = stage.delivered();
    assert_eq!(delivered.len(), 3);
    let sent = stage.receiver.posts().len();

    let woken = SystemTime::now();
    first.resume();
    until_asked(stage, "a", woken, 3).await;
    assert_eq!(stage.receiver.posts().len(), sent, "{}", first.log());
    let requests = stage.kubernetes.requests();
    // A renewal may be on its way: it names the version of the lease that it replaces, and is refused.
    let refused = |request: &&LoggedRequest| is_lease(request) && request.status == 409;
    let late: Vec<_> = writes(&requests, "a")
        .filter(|request| request.at > woken && !refused(request))
        .collect();
    assert!(late.is_empty(), "{late:#?}\n{}", first.log());
    assert_eq!(stage.delivered(), delivered);

    // The second one still leads, and the first one would: it has only lost its turn.
    second.kill();
    let killed = SystemTime::now();
    stage.put("red", &["vm-1"]);
    stage
        .until(|config| {
            is_ready(config)
                && config["status"]["nodes"]
                    .as_array()
                    .is_some_and(|nodes| nodes.len() == 1)
        })
        .await;
    assert_eq!(stage.delivered().keys().collect::<Vec<_>>(), ["vm-1"]);
    let requests = stage.kubernetes.requests();
    assert!(writes(&requests, "a").any(|request| is_lease(request) && request.at > killed));
}

#[tokio::test]
async fn a_replica_that_is_asked_to_end_gives_the_lease_back() {
    let stage = Stage::new().await;
    let first = Replica::contender(&stage, "a");
    until_leads(&stage, "a").await;
    stage.put("red", &["vm-1"]);
    stage.until_ready().await;
    let second = Replica::contender(&stage, "b");
    until_asked(&stage, "b", SystemTime::UNIX_EPOCH, 1).await;
    assert_eq!(first.end().await.code(), Some(0));
    let lease = stage.kubernetes.get(
        "leases.coordination.k8s.io",
        super::stage::NAMESPACE,
        "multinic-operator",
    );
    let ended = SystemTime::now();
    let holder = lease.unwrap().unwrap()["spec"]["holderIdentity"].clone();
    assert!(
        holder.as_str().is_none_or(|holder| !holder.starts_with('a')),
        "{holder}"
    );
    until_leads(&stage, "b").await;
    let requests = stage.kubernetes.requests();
    let took = writes(&requests, "b").find(|request| is_lease(request)).unwrap().at;
    println!("taken over {:.1} s after the end", seconds(ended, took));
    drop(second);
}

fn seconds(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from)
        .map_or_else(|early| -early.duration().as_secs_f64(), |late| late.as_secs_f64())
}

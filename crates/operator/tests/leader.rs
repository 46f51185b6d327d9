//! Replicas that share one lease, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod edge;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use edge::{NAMESPACE, PATIENCE, config_of, lab, until};
use k8s_openapi::api::{coordination::v1::Lease, core::v1::ConfigMap};
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};
use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use multinic_operator::{
    client::{Clients, is_fenced},
    leader::{BootClock, Election, Elector, Fence, Leadership, TermError, Terms, Timing},
};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

const LEASES: &str = "leases.coordination.k8s.io";

struct Replica {
    fence: Fence,
    leads: watch::Receiver<bool>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), TermError<io::Error>>>,
}

impl Replica {
    /// Leads by turns; `working` counts those that work at this moment.
    async fn start(lab: &KubernetesLab, user: &str, working: &Arc<AtomicUsize>) -> Self {
        let clock = Arc::new(BootClock);
        let fence = Fence::closed(clock.clone());
        let clients = Clients::new(&config_of(lab, user).await, &fence).unwrap();
        let timing = Timing::new(
            Duration::from_secs(2),
            Duration::from_secs(1),
            Duration::from_millis(100),
        )
        .unwrap();
        let election = Election {
            namespace: NAMESPACE.to_owned(),
            name: "multinic-operator".to_owned(),
            identity: user.to_owned(),
            timing,
        };
        let elector = Elector::new(clients.lease.clone(), &election, clock, fence.clone());
        let sender = watch::Sender::new(false);
        let (leads, shutdown) = (sender.subscribe(), CancellationToken::new());
        let terms = Terms {
            leadership: Leadership::Elected(Box::new(elector)),
            leads: sender,
            grace: Duration::from_secs(1),
        };
        let working = Arc::clone(working);
        let run = terms.run(shutdown.clone(), move |stop| work(Arc::clone(&working), stop));
        Self {
            fence,
            leads,
            shutdown: shutdown.clone(),
            task: tokio::spawn(run),
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }
}

/// Fails when somebody else works too.
async fn work(working: Arc<AtomicUsize>, stop: CancellationToken) -> io::Result<()> {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let others = working.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(working);
    if others > 0 {
        return Err(io::Error::other("two work at once"));
    }
    stop.cancelled().await;
    Ok(())
}

fn lease(lab: &KubernetesLab) -> Value {
    lab.get(LEASES, NAMESPACE, "multinic-operator").unwrap().unwrap()
}

fn holder(lab: &KubernetesLab) -> String {
    lease(lab)["spec"]["holderIdentity"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Which of them leads first.
async fn first(replicas: &mut Vec<Replica>) -> Replica {
    let waits = replicas
        .iter_mut()
        .map(|replica| Box::pin(until(&mut replica.leads, |leads| *leads)));
    let (_, index, _) = futures::future::select_all(waits).await;
    replicas.remove(index)
}

#[tokio::test]
async fn one_of_three_leads_and_each_hands_over_in_order() {
    let (lab, working) = (lab().await, Arc::new(AtomicUsize::new(0)));
    let mut replicas = Vec::new();
    for user in ["a", "b", "c"] {
        replicas.push(Replica::start(&lab, user, &working).await);
    }
    for transitions in 0..3 {
        let leader = first(&mut replicas).await;
        assert!(leader.fence.is_open());
        assert!(replicas.iter().all(|replica| !replica.fence.is_open()));
        let spec = &lease(&lab)["spec"];
        assert_eq!(spec["leaseTransitions"], json!(transitions), "{spec}");
        assert_eq!(spec["leaseDurationSeconds"], json!(2));
        let fence = leader.fence.clone();
        leader.stop().await;
        assert!(!fence.is_open());
    }
    assert_eq!(holder(&lab), "", "the last one has released the lease too");
}

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_before_another_begins_and_comes_back_as_a_follower() {
    let (lab, working) = (lab().await, Arc::new(AtomicUsize::new(0)));
    let mut a = Replica::start(&lab, "a", &working).await;
    until(&mut a.leads, |leads| *leads).await;
    let mut b = Replica::start(&lab, "b", &working).await;

    lab.fail(Matcher::any().user("a"), Fault::Reset, Times::Always);
    until(&mut a.leads, |leads| !*leads).await;
    assert!(!a.fence.is_open());
    // Its work fails if the other's has not ended.
    until(&mut b.leads, |leads| *leads).await;
    assert!(!a.fence.is_open() && b.fence.is_open());

    lab.clear_faults();
    let is_by_a = |request: &multinic_lab_kubernetes::LoggedRequest| request.user == "a" && request.status == 200;
    lab.clear_requests();
    timeout(PATIENCE, async {
        while !lab.requests().iter().any(is_by_a) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(!a.fence.is_open() && b.fence.is_open());
    assert!(holder(&lab).starts_with("b_"), "{}", holder(&lab));
    a.stop().await;
    assert!(
        holder(&lab).starts_with("b_"),
        "who does not hold the lease does not release it"
    );
    b.stop().await;
}

#[tokio::test]
async fn a_killed_leader_is_followed_when_its_lease_has_run_out() {
    let (lab, working) = (lab().await, Arc::new(AtomicUsize::new(0)));
    let mut a = Replica::start(&lab, "a", &working).await;
    until(&mut a.leads, |leads| *leads).await;
    a.task.abort();
    assert!(a.task.await.unwrap_err().is_cancelled());
    let left = holder(&lab);
    assert!(left.starts_with("a_"), "{left}");
    let mut b = Replica::start(&lab, "b", &working).await;
    until(&mut b.leads, |leads| *leads).await;
    assert!(!a.fence.is_open());
    assert_eq!(lease(&lab)["spec"]["leaseTransitions"], json!(1));
    b.stop().await;
}

#[tokio::test]
async fn labels_and_annotations_of_the_lease_are_kept() {
    let (lab, working) = (lab().await, Arc::new(AtomicUsize::new(0)));
    lab.apply(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "multinic-operator", "namespace": NAMESPACE, "labels": {"team": "platform"}},
        "spec": {},
    }))
    .unwrap();
    let mut a = Replica::start(&lab, "a", &working).await;
    until(&mut a.leads, |leads| *leads).await;
    assert_eq!(lease(&lab)["metadata"]["labels"]["team"], json!("platform"));
    a.stop().await;
}

#[tokio::test]
async fn behind_a_closed_fence_everything_can_be_read_and_nothing_written() {
    let lab = lab().await;
    let fence = Fence::closed(Arc::new(BootClock));
    let clients = Clients::new(&config_of(&lab, "a").await, &fence).unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(clients.gated.clone(), NAMESPACE);
    let leases: Api<Lease> = Api::namespaced(clients.lease.clone(), NAMESPACE);

    assert!(maps.list(&ListParams::default()).await.unwrap().items.is_empty());
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap();
    let refused = maps.create(&PostParams::default(), &map).await.unwrap_err();
    assert!(is_fenced(&refused), "{refused}");
    let deleted = maps.delete("x", &DeleteParams::default()).await.unwrap_err();
    assert!(is_fenced(&deleted), "{deleted}");
    let lease: Lease = serde_json::from_value(json!({"metadata": {"name": "y"}, "spec": {}})).unwrap();
    leases.create(&PostParams::default(), &lease).await.unwrap();

    let requests = lab.requests();
    let verbs: Vec<&str> = requests.iter().map(|request| request.verb).collect();
    assert_eq!(verbs, ["list", "create"]);
    let agent = concat!("multinic-operator/", env!("CARGO_PKG_VERSION"));
    assert!(
        requests.iter().all(|request| request.user_agent == agent),
        "{requests:?}"
    );
}

#[tokio::test]
async fn nothing_is_repeated_inside_the_client() {
    let lab = lab().await;
    lab.fail(Matcher::any().verb("create"), Fault::Status(503), Times::Always);
    let clients = Clients::new(&config_of(&lab, "a").await, &Fence::always_open()).unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(clients.gated, NAMESPACE);
    let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap();
    let failed = maps.create(&PostParams::default(), &map).await.unwrap_err();
    assert!(!is_fenced(&failed));
    assert_eq!(lab.requests().len(), 1);
}

//! The settings, watched over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod edge;

use std::{collections::BTreeSet, time::Duration};

use edge::{NAMESPACE, PATIENCE, config_of, events, lab, put_secret, put_settings, settings, until};
use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use multinic_operator::{
    announce::Announcer,
    client::Clients,
    leader::Fence,
    observe::Metrics,
    settings::{RejectionReason, SettingsHandle, SettingsSource, SettingsState, announce, follow},
};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

struct Following {
    handle: SettingsHandle,
    metrics: Metrics,
    clients: Clients,
    tasks: JoinSet<()>,
}

impl Following {
    async fn start(lab: &KubernetesLab) -> Self {
        Self::with_quiet(lab, Duration::from_millis(20)).await
    }

    async fn with_quiet(lab: &KubernetesLab, quiet: Duration) -> Self {
        let metrics = Metrics::default();
        let clients = Clients::new(&config_of(lab, "a").await, &Fence::always_open()).unwrap();
        let source = SettingsSource {
            namespace: NAMESPACE.to_owned(),
            config_map: "multinic-operator-config".to_owned(),
            pace: multinic_sync::Pace::default(),
            readings: None,
            quiet,
        };
        let (handle, work) = follow(clients.gated.clone(), source, metrics.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(work);
        Self {
            handle,
            metrics,
            clients,
            tasks,
        }
    }

    async fn until(&mut self, expected: impl FnMut(&SettingsState) -> bool) -> SettingsState {
        until(&mut self.handle.state, expected).await
    }

    async fn rejected_with(&mut self, part: &str) -> SettingsState {
        self.until(|state| {
            state
                .rejected
                .as_ref()
                .is_some_and(|rejected| rejected.message.contains(part))
        })
        .await
    }

    async fn generation(&mut self, number: u64) -> SettingsState {
        self.until(|state| generation(state) >= number && state.rejected.is_none())
            .await
    }
}

fn generation(state: &SettingsState) -> u64 {
    state.current.as_ref().map_or(0, |current| current.generation)
}

fn reason(state: &SettingsState) -> RejectionReason {
    state.rejected.as_ref().unwrap().reason
}

/// A server with usable settings.
async fn ready() -> KubernetesLab {
    let lab = lab().await;
    put_secret(&lab, "contrabass", "encryptionKey", "aHVudGVyMg==");
    put_settings(&lab, &settings("5m"));
    lab
}

#[tokio::test]
async fn only_a_change_that_matters_makes_new_connections() {
    let lab = ready().await;
    let mut following = Following::start(&lab).await;
    assert_eq!(generation(&following.generation(1).await), 1);

    put_settings(&lab, &format!("# a comment\n{}", settings("5m")));
    lab.apply_yaml(&format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: contrabass, namespace: {NAMESPACE}}}, \
         data: {{encryptionKey: aHVudGVyMg==, unrelated: eA==}}}}"
    ))
    .unwrap();
    put_settings(&lab, &settings("6m"));
    let state = following.generation(2).await;
    assert_eq!(
        state.current.unwrap().settings.sync.interval.duration(),
        Duration::from_mins(6)
    );

    put_secret(&lab, "contrabass", "encryptionKey", "aHVudGVyMw==");
    let state = following.generation(3).await;
    assert_eq!(generation(&state), 3);
    assert!(
        following
            .metrics
            .text()
            .unwrap()
            .contains("multinic_settings_generation 3\n")
    );
    assert!(!format!("{state:?}").contains("hunter"), "{state:?}");
}

#[tokio::test]
async fn what_is_missing_is_named_one_after_the_other() {
    let lab = lab().await;
    let mut following = Following::start(&lab).await;
    let state = following
        .rejected_with("there is no ConfigMap multinic-system/multinic-operator-config")
        .await;
    assert_eq!(reason(&state), RejectionReason::SettingsMissing);
    assert!(state.current.is_none());

    lab.apply_yaml(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: multinic-operator-config, namespace: {NAMESPACE}}}}}"
    ))
    .unwrap();
    let state = following.rejected_with("has no key config.yaml").await;
    assert_eq!(reason(&state), RejectionReason::SettingsMissing);

    put_settings(&lab, &settings("5m").replace("managementApi", "#"));
    let state = following.rejected_with("there is no managementApi").await;
    assert_eq!(reason(&state), RejectionReason::SettingsRejected);

    put_settings(&lab, &settings("5m"));
    following
        .rejected_with("contrabass.password.key: there is no Secret multinic-system/contrabass; create it with the key encryptionKey")
        .await;
    put_secret(&lab, "contrabass", "other", "eA==");
    following
        .rejected_with("the Secret multinic-system/contrabass lacks the key encryptionKey")
        .await;
    put_secret(&lab, "contrabass", "encryptionKey", "");
    following.rejected_with("has nothing in the key encryptionKey").await;
    put_secret(&lab, "contrabass", "encryptionKey", "/w==");
    following
        .rejected_with("something else than UTF-8 text in the key encryptionKey")
        .await;
    assert!(
        following
            .metrics
            .text()
            .unwrap()
            .contains("multinic_settings_rejected 1\n")
    );
    put_secret(&lab, "contrabass", "encryptionKey", "aHVudGVyMgo=");
    following.generation(1).await;
    assert!(
        following
            .metrics
            .text()
            .unwrap()
            .contains("multinic_settings_rejected 0\n")
    );
}

#[tokio::test]
async fn a_broken_version_leaves_the_last_good_one_in_force() {
    let lab = ready().await;
    let mut following = Following::start(&lab).await;
    following.generation(1).await;
    put_settings(&lab, "contrabass: {endpoint: 7}");
    let state = following.rejected_with("contrabass.endpoint").await;
    assert_eq!(
        (reason(&state), generation(&state)),
        (RejectionReason::SettingsRejected, 1)
    );
    put_settings(&lab, &settings("5m"));
    let state = following.generation(1).await;
    assert_eq!(generation(&state), 1, "the same settings need no new connections");
    assert!(lab.delete("configmaps", NAMESPACE, "multinic-operator-config").unwrap());
    let state = following.rejected_with("there is no ConfigMap").await;
    assert_eq!(generation(&state), 1);
}

#[tokio::test]
async fn another_key_or_another_secret_is_looked_up_when_the_settings_name_it() {
    let lab = ready().await;
    put_secret(&lab, "second", "k", "eA==");
    let mut following = Following::start(&lab).await;
    following.generation(1).await;
    put_settings(
        &lab,
        &settings("5m").replace("secret: contrabass, key: encryptionKey", "secret: second, key: k"),
    );
    following.generation(2).await;
    put_secret(&lab, "second", "l", "eQ==");
    put_settings(
        &lab,
        &settings("5m").replace("secret: contrabass, key: encryptionKey", "secret: second, key: l"),
    );
    following.generation(3).await;
}

#[tokio::test]
async fn a_ca_may_lie_in_a_secret_and_a_bad_one_is_named() {
    let lab = ready().await;
    let mut following = Following::start(&lab).await;
    following.generation(1).await;
    let with_ca = settings("5m").replace(
        "  password:",
        "  tls: {caSecret: {secret: ca, key: ca.crt}}\n  password:",
    );
    put_settings(&lab, &with_ca);
    following
        .rejected_with("contrabass.tls.caSecret: there is no Secret multinic-system/ca")
        .await;
    put_secret(&lab, "ca", "ca.crt", "bm8gcGVt");
    let state = following.rejected_with("contrabass").await;
    assert_eq!(generation(&state), 1);
    let pem = rcgen::generate_simple_self_signed(["contrabass".to_owned()])
        .unwrap()
        .cert
        .pem();
    lab.apply(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "ca", "namespace": NAMESPACE},
        "stringData": {"ca.crt": pem},
    }))
    .unwrap();
    following.generation(2).await;
}

#[tokio::test]
async fn no_other_secret_is_ever_asked_for() {
    let lab = ready().await;
    put_secret(&lab, "of-somebody-else", "k", "eA==");
    let mut following = Following::start(&lab).await;
    following.generation(1).await;
    let asked: BTreeSet<(String, String, String)> = lab
        .requests()
        .into_iter()
        .map(|request| (request.resource, request.verb.to_owned(), request.name))
        .collect();
    let expected = [
        ("configmaps", "list", "multinic-operator-config"),
        ("configmaps", "watch", "multinic-operator-config"),
        ("secrets", "list", "contrabass"),
        ("secrets", "watch", "contrabass"),
    ];
    let expected = expected.map(|(resource, verb, name)| (resource.to_owned(), verb.to_owned(), name.to_owned()));
    assert!(asked.is_subset(&expected.into()), "{asked:?}");
}

#[tokio::test]
async fn restarts_dropped_watches_and_forgotten_versions_are_survived() {
    let lab = ready().await;
    let mut following = Following::start(&lab).await;
    following.generation(1).await;

    lab.stop().await;
    put_settings(&lab, &settings("6m"));
    lab.start().await.unwrap();
    following.generation(2).await;

    lab.compact();
    lab.drop_watches();
    put_secret(&lab, "contrabass", "encryptionKey", "eA==");
    following.generation(3).await;

    lab.fail(Matcher::any().verb("watch"), Fault::Status(500), Times::N(2));
    lab.drop_watches();
    put_settings(&lab, &settings("7m"));
    following.generation(4).await;
}

#[tokio::test]
async fn a_burst_of_changes_makes_one_new_version() {
    let lab = ready().await;
    let mut following = Following::with_quiet(&lab, Duration::from_secs(1)).await;
    following.generation(1).await;
    for minutes in 10..30 {
        put_settings(&lab, &settings(&format!("{minutes}m")));
    }
    let state = following.generation(2).await;
    assert_eq!(
        state.current.unwrap().settings.sync.interval.duration(),
        Duration::from_mins(29)
    );
}

#[tokio::test]
async fn settings_that_may_not_be_read_are_reported() {
    let lab = ready().await;
    lab.fail(Matcher::any().resource("secrets"), Fault::Status(403), Times::Always);
    let mut following = Following::start(&lab).await;
    following.rejected_with("cannot be read").await;
    lab.clear_faults();
    following.generation(1).await;
}

#[tokio::test]
async fn each_transition_is_an_event_on_the_config_map_and_is_said_once() {
    let lab = ready().await;
    let mut following = Following::start(&lab).await;
    following.generation(1).await;
    let (announcer, writer) = Announcer::new(following.clients.gated.clone(), "replica-a");
    following.tasks.spawn(writer);
    following
        .tasks
        .spawn(announce(following.handle.clone(), announcer.clone()));

    put_settings(&lab, "surprise: 1");
    following.rejected_with("surprise").await;
    wait_for_events(&lab, 1).await;
    put_settings(&lab, &settings("5m"));
    following.generation(1).await;
    wait_for_events(&lab, 2).await;
    // The same again within the hour: nothing new is said, so that the next event is the one after it.
    put_settings(&lab, "surprise: 1");
    following.rejected_with("surprise").await;
    put_settings(&lab, "otherwise: 1");
    following.rejected_with("otherwise").await;
    wait_for_events(&lab, 3).await;

    let mut said = events(&lab);
    said.sort();
    assert_eq!(
        said.iter().map(|(reason, _)| reason.as_str()).collect::<Vec<_>>(),
        ["SettingsAccepted", "SettingsRejected", "SettingsRejected"]
    );
    assert!(
        said[1].1.contains("otherwise") && said[2].1.contains("surprise"),
        "{said:?}"
    );
    let map = lab
        .get("configmaps", NAMESPACE, "multinic-operator-config")
        .unwrap()
        .unwrap();
    for event in lab.list("events.events.k8s.io", Some(NAMESPACE)).unwrap() {
        assert_eq!(event["regarding"]["uid"], map["metadata"]["uid"]);
        assert_eq!(event["reportingInstance"], "replica-a");
    }
}

async fn wait_for_events(lab: &KubernetesLab, count: usize) {
    let enough = async {
        while events(lab).len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, enough)
        .await
        .unwrap_or_else(|_| panic!("{:?}", events(lab)));
}

//! Everything that an operator does in its life, under its own token.

use std::{net::SocketAddr, time::Duration};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::{WatchStreamExt, watcher},
};
use multinic_lab::{
    CloudBuilder, DEMO_ENCRYPTION_KEY, Fault, Lab, Receiver, SEED_PROJECT, SEED_PROVIDER, SEED_SUBNET_ID, Service,
};
use multinic_lab_kubernetes::{Fault as ApiFault, KubernetesLab, Matcher, Times};
use multinic_operator::{Operator, OperatorError, Options, leader::Timing, options::LeaseOptions};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// The operator's namespace.
pub const NAMESPACE: &str = "multinic-system";
/// The operator's user, in both replicas.
pub const USER: &str = "multinic-operator";
/// Where the users' resources are.
const TEAM: &str = "team";
const CONFIGS: &str = "openstackconfigs.multinic.example.com";
const REMOVALS: &str = "multinic-operator-removals";
/// Only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_mins(1);

const FILES: [&str; 3] = [
    include_str!("../../../../deploy/namespace.yaml"),
    include_str!("../../../../deploy/crds/openstackconfigs.multinic.example.com.yaml"),
    include_str!("../../../../deploy/operator/rbac.yaml"),
];

/// A cluster with what deploy/ puts there, and the namespace of a team.
pub async fn cluster() -> KubernetesLab {
    let token = format!("{USER}-token");
    let lab = KubernetesLab::builder()
        .user(USER, &token)
        .patience(PATIENCE)
        .start()
        .await
        .unwrap();
    for file in FILES {
        lab.apply_yaml(file).unwrap();
    }
    lab.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}}))
        .unwrap();
    lab
}

/// Lives, and leaves the cluster with everything that was asked of it.
pub async fn live() -> KubernetesLab {
    let world = World::new().await;
    let first = Replica::start(&world.kubernetes, "first").await;
    world.resources_come_and_change().await;
    world.settings_break_and_are_mended().await;
    let second = Replica::start(&world.kubernetes, "second").await;
    first.stop().await;
    world.a_removal_outlives_its_resource().await;
    world.resources_go().await;
    second.stop().await;
    world.kubernetes
}

struct World {
    kubernetes: KubernetesLab,
    lab: Lab,
    receiver: Receiver,
}

impl World {
    async fn new() -> Self {
        let world = Self {
            kubernetes: cluster().await,
            lab: Lab::start(CloudBuilder::seed()).unwrap(),
            receiver: Receiver::start().unwrap(),
        };
        world.receiver.require_token("token-of-the-test");
        world.secret("contrabass", "encryptionKey", DEMO_ENCRYPTION_KEY);
        world.secret("management-api", "token", "token-of-the-test");
        world.settings("");
        world
    }

    async fn resources_come_and_change(&self) {
        self.config("one", &["measure-biz-worker-2", "measure-biz-worker-3"]);
        self.until("one", is_ready).await;
        self.config("one", &["measure-biz-worker-2"]);
        self.until("one", is_ready).await;
        // Somebody else's write comes in between.
        let put = Matcher::any()
            .user(USER)
            .verb("patch")
            .resource("openstackconfigs")
            .subresource("");
        self.kubernetes.fail(put, ApiFault::Status(409), Times::N(1));
        self.config("two", &["measure-biz-master-1"]);
        self.until("two", is_ready).await;
        self.kubernetes.clear_faults();
        self.event(TEAM, "Synced").await;
    }

    async fn settings_break_and_are_mended(&self) {
        self.settings("surprise: 1\n");
        self.event(NAMESPACE, "SettingsRejected").await;
        self.settings("");
        self.event(NAMESPACE, "SettingsAccepted").await;
    }

    async fn a_removal_outlives_its_resource(&self) {
        let faults = self.receiver.faults();
        faults
            .at(Service::ManagementApi)
            .times(u64::MAX)
            .inject(Fault::status(503));
        self.kubernetes.delete(CONFIGS, TEAM, "two").unwrap();
        self.gone("two").await;
        self.event(TEAM, "RemovalQueued").await;
        faults.clear();
        let waits = |map: &Value| map["data"].as_object().is_some_and(|data| !data.is_empty());
        let settled = |map: Option<&Value>| map.is_some_and(|map| !waits(map));
        self.kubernetes
            .until("configmaps", NAMESPACE, REMOVALS, settled)
            .await
            .unwrap();
    }

    async fn resources_go(&self) {
        self.kubernetes.delete(CONFIGS, TEAM, "one").unwrap();
        self.gone("one").await;
    }

    fn config(&self, name: &str, vms: &[&str]) {
        let config = json!({
            "apiVersion": "multinic.example.com/v1alpha1", "kind": "OpenstackConfig",
            "metadata": {"name": name, "namespace": TEAM},
            "spec": {"subnetID": SEED_SUBNET_ID, "vmNames": vms, "credentials": {
                "openstackProviderID": SEED_PROVIDER, "projectID": SEED_PROJECT}},
        });
        self.kubernetes.apply(config).unwrap();
    }

    fn settings(&self, more: &str) {
        let settings = format!(
            "contrabass:\n  endpoint: {}\n  password: {{key: {{secret: contrabass, key: encryptionKey}}}}\n\
             managementApi:\n  endpoint: {}\n  token: {{secret: management-api, key: token}}\n\
             sync: {{interval: 1s, deletionTimeout: 1s}}\n{more}",
            self.lab.contrabass_url(),
            self.receiver.url()
        );
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "multinic-operator-config", "namespace": NAMESPACE},
            "data": {"config.yaml": settings},
        });
        self.kubernetes.apply(map).unwrap();
    }

    fn secret(&self, name: &str, key: &str, value: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": {key: value},
        });
        self.kubernetes.apply(secret).unwrap();
    }

    async fn until(&self, name: &str, holds: fn(&Value) -> bool) {
        let found = self
            .kubernetes
            .until(CONFIGS, TEAM, name, |object| object.is_some_and(holds))
            .await;
        found.unwrap();
    }

    async fn gone(&self, name: &str) {
        self.kubernetes
            .until(CONFIGS, TEAM, name, |object| object.is_none())
            .await
            .unwrap();
    }

    async fn event(&self, namespace: &str, reason: &str) {
        let api: Api<Event> = Api::namespaced(client(&self.kubernetes, "admin").await, namespace);
        let events = watcher(api, watcher::Config::default()).applied_objects();
        let mut wanted = events
            .try_filter(|event| std::future::ready(event.reason.as_deref() == Some(reason)))
            .boxed();
        let found = timeout(PATIENCE, wanted.next()).await;
        found.unwrap_or_else(|_| panic!("no Event {reason}")).unwrap().unwrap();
    }
}

struct Replica {
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), OperatorError>>,
}

impl Replica {
    async fn start(lab: &KubernetesLab, identity: &str) -> Self {
        let seconds = Duration::from_secs;
        let timing = Timing::new(seconds(3), seconds(2), Duration::from_millis(100)).unwrap();
        let election = LeaseOptions {
            timing,
            ..LeaseOptions::default()
        };
        let mut options = Options {
            election: Some(election),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ..Options::new(NAMESPACE, identity)
        };
        options.pace.settings_quiet = Duration::from_millis(10);
        options.pace.requests.management_api.base = Duration::from_millis(10);
        options.pace.engine.backoff.base = Duration::from_millis(20);
        options.pace.engine.backoff.cap = Duration::from_millis(200);
        let operator = Operator::new(config(lab, USER).await, options).await.unwrap();
        let shutdown = CancellationToken::new();
        Self {
            running: tokio::spawn(operator.run(shutdown.clone())),
            shutdown,
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }
}

async fn config(lab: &KubernetesLab, user: &str) -> Config {
    let kubeconfig = Kubeconfig::from_yaml(&lab.kubeconfig_of(user)).unwrap();
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap()
}

async fn client(lab: &KubernetesLab, user: &str) -> Client {
    Client::try_from(config(lab, user).await).unwrap()
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    ready.any(|ready| ready["status"] == "True" && ready["observedGeneration"] == object["metadata"]["generation"])
}

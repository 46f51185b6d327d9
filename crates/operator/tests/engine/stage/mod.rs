//! Everything that the engine meets, and what a test does to it.

mod broker;
mod cast;
mod cr;
mod kubernetes;
mod settings;

use std::{sync::Arc, time::Duration};

use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
    runtime::wait::await_condition,
};
use multinic_lab::{CloudBuilder, Lab, LoggedRequest, Receiver};
use multinic_model::openstack_config::OpenstackConfig;
use multinic_operator::{
    announce::Announcer,
    engine::{self, EngineContext, Pace},
    leader::Fence,
    observe::{Heartbeat, Metrics},
    settings::SettingsState,
    watch::Caches,
};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

pub use broker::{Announced, because, broker};
pub use cast::{
    CLUSTER, OTHER_CLUSTER, OTHER_PROVIDER, PROJECT, PROVIDER, W1, W2, W3, announced, blue, cloud, ids, node, nodes,
    red,
};
pub use cr::Cr;
pub use kubernetes::Kubernetes;
pub use settings::{SettingsText, current};

/// Longer than anything here takes; a test that meets it has failed.
const LIMIT: Duration = Duration::from_mins(1);

/// A test's world.
pub struct Stage {
    pub kubernetes: Kubernetes,
    pub lab: Lab,
    pub receiver: Receiver,
    pub settings: SettingsText,
    pub pace: Pace,
    pub metrics: Metrics,
    state: watch::Sender<SettingsState>,
    engine: Option<Term>,
    generation: u64,
}

/// An engine under way.
struct Term {
    shutdown: CancellationToken,
    engine: JoinHandle<Result<(), engine::EngineError>>,
    watch: JoinHandle<()>,
}

/// A pace that makes the same decisions sooner.
pub fn pace() -> Pace {
    let mut pace = Pace::default();
    pace.backoff.base = Duration::from_millis(20);
    pace.backoff.cap = Duration::from_millis(200);
    pace.wiring_pause = Duration::from_mins(10);
    pace.restate_pause = Duration::from_millis(50);
    pace.random = || 0.5;
    pace
}

impl Stage {
    /// With a management API like ours, and the engine running.
    pub async fn new(cloud: CloudBuilder) -> Self {
        let mut stage = Self::set(cloud, Receiver::start().unwrap()).await;
        stage.begin().await;
        stage
    }

    /// Everything but the engine.
    pub async fn set(cloud: CloudBuilder, receiver: Receiver) -> Self {
        Self {
            kubernetes: Kubernetes::start().await,
            lab: Lab::start(cloud).unwrap(),
            receiver,
            settings: SettingsText::default(),
            pace: pace(),
            metrics: Metrics::default(),
            state: watch::Sender::default(),
            engine: None,
            generation: 0,
        }
    }

    /// Starts the engine, as a new process does: with connections of its own.
    pub async fn begin(&mut self) {
        if self.generation == 0 || self.state.borrow().current.is_some() {
            self.put_settings();
        }
        let shutdown = CancellationToken::new();
        let client = self.kubernetes.operator().await;
        let (configs, watch) = Caches::start(client.clone(), Some(&self.kubernetes.namespace), shutdown.clone());
        let context = EngineContext {
            client,
            fence: Fence::always_open(),
            settings: self.state.subscribe(),
            configs,
            metrics: self.metrics.clone(),
            heartbeat: Heartbeat::default(),
            announcer: Announcer::silent(),
            pace: self.pace,
            namespace: self.kubernetes.namespace.clone(),
            shutdown: shutdown.clone(),
        };
        self.engine = Some(Term {
            shutdown,
            engine: tokio::spawn(engine::run(context)),
            watch: tokio::spawn(watch),
        });
    }

    /// Ends the engine as a rolling update does.
    pub async fn end(&mut self) {
        let engine = self.engine.take().unwrap();
        engine.shutdown.cancel();
        engine.engine.await.unwrap().unwrap();
        engine.watch.await.unwrap();
    }

    /// Ends the engine between two instructions, as kill -9 does.
    pub async fn kill(&mut self) {
        let engine = self.engine.take().unwrap();
        engine.engine.abort();
        engine.watch.abort();
        let _ = engine.engine.await;
        let _ = engine.watch.await;
    }

    /// The settings as they are written now come into force.
    pub fn put_settings(&mut self) {
        self.generation += 1;
        let current = current(&self.settings, &self.lab, &self.receiver, self.generation);
        self.state.send_replace(SettingsState {
            current: Some(Arc::new(current)),
            rejected: None,
        });
    }

    /// Tells the engine something else about the settings.
    pub fn tell_settings(&mut self, change: impl FnOnce(&mut SettingsState)) {
        self.generation = self.generation.max(1);
        self.state.send_modify(change);
    }

    pub fn configs(&self) -> Api<OpenstackConfig> {
        Api::namespaced(self.kubernetes.client.clone(), &self.kubernetes.namespace)
    }

    /// As `kubectl apply` does.
    pub async fn apply(&self, cr: &Cr) {
        let params = PatchParams::apply("kubectl").force();
        let object = cr.object();
        self.configs()
            .patch(cr.name(), &params, &Patch::Apply(object))
            .await
            .unwrap();
    }

    /// As [`apply`](Self::apply), past the faults of the lab's Kubernetes API.
    pub fn kubernetes_apply(&self, cr: &Cr) {
        let mut object = cr.object();
        object["metadata"]["namespace"] = self.kubernetes.namespace.as_str().into();
        self.kubernetes.lab.as_ref().unwrap().apply(object).unwrap();
    }

    /// Changes an object as `kubectl patch` does.
    pub async fn patch(&self, name: &str, patch: Value) {
        self.configs()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    pub async fn delete(&self, name: &str) {
        self.configs().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until that holds of a config.
    pub async fn until(&self, name: &str, holds: impl Fn(&OpenstackConfig) -> bool) -> OpenstackConfig {
        let condition = |object: Option<&OpenstackConfig>| object.is_some_and(&holds);
        let waited = timeout(LIMIT, await_condition(self.configs(), name, condition)).await;
        let Ok(object) = waited else {
            panic!(
                "{name} has not become so: {:#}",
                json!(self.configs().get_opt(name).await.unwrap())
            )
        };
        object.unwrap().unwrap()
    }

    /// Waits until Ready says this (`True`, or a reason) of the newest spec.
    pub async fn says(&self, name: &str, word: &str) -> OpenstackConfig {
        self.until(name, |config| {
            said(config, "Ready").is_some_and(|(status, reason)| status == word || reason == word)
        })
        .await
    }

    pub async fn ready(&self, name: &str) -> OpenstackConfig {
        self.says(name, "True").await
    }

    /// Waits until a config is no more.
    pub async fn gone(&self, name: &str) {
        let condition = |object: Option<&OpenstackConfig>| object.is_none();
        let waited = timeout(LIMIT, await_condition(self.configs(), name, condition)).await;
        let left = self.configs().get_opt(name).await.unwrap();
        assert!(waited.is_ok(), "{name} is still there: {:#}", json!(left));
    }

    /// Waits until the management API has this of a cluster.
    pub async fn delivered(&self, cluster: &str, holds: impl Fn(&Value) -> bool) {
        let waited = timeout(
            LIMIT,
            self.receiver.until(|_| holds(&self.receiver.node_configs(cluster))),
        )
        .await;
        assert!(waited.is_ok(), "{:#}", self.receiver.node_configs(cluster));
    }

    /// Waits until that holds of the requests to the management API.
    pub async fn asked(&self, holds: impl FnMut(&[LoggedRequest]) -> bool) {
        let waited = timeout(LIMIT, self.receiver.until(holds)).await;
        assert!(waited.is_ok(), "{:#?}", self.receiver.requests());
    }

    /// Waits until that holds of the requests to the cloud.
    pub async fn read(&self, holds: impl FnMut(&[LoggedRequest]) -> bool) {
        let waited = timeout(LIMIT, self.lab.until(holds)).await;
        assert!(waited.is_ok(), "{:#?}", self.lab.requests());
    }

    /// What is in force in the usual cluster.
    pub fn nodes(&self) -> Value {
        self.receiver.node_configs(CLUSTER)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(engine) = &self.engine {
            engine.engine.abort();
            engine.watch.abort();
        }
    }
}

/// Status and reason of a condition that speaks of the newest spec.
pub fn said(config: &OpenstackConfig, kind: &str) -> Option<(String, String)> {
    let status = config.status.as_ref()?;
    let condition = status.conditions.iter().find(|condition| condition.type_ == kind)?;
    let newest = condition.observed_generation == config.metadata.generation;
    newest.then(|| (condition.status.clone(), condition.reason.clone()))
}

/// The entry of a VM.
pub fn entry(config: &OpenstackConfig, vm: &str) -> Value {
    let nodes = config.status.iter().flat_map(|status| &status.nodes);
    nodes
        .filter(|node| node.vm == vm)
        .map(|node| json!(node))
        .next()
        .unwrap_or_default()
}

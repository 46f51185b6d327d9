//! The settings as they change: watches, waits for a burst to end, builds, and says what is in force.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference, Secret};
use kube::{Api, Client};
use multinic_sync::{Connections, Pace, Readings, readings::ReadingsPace};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    assess::{Assessment, Content, Knowledge},
    known::{ConfigText, Known, SecretValues},
    references::secrets_and_keys,
    state::{Current, Rejection, RejectionReason, SettingsState},
    watched::watch,
};
use crate::observe::Metrics;

/// Where the settings are and how they are followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsSource {
    /// The operator's own namespace.
    pub namespace: String,
    /// The ConfigMap's name.
    pub config_map: String,
    /// How passes ask, where the settings have no word for it.
    pub pace: Pace,
    /// How readings are repeated; `None`: as the interval of the settings has it.
    pub readings: Option<ReadingsPace>,
    /// A burst of changes has ended when nothing has come for this long.
    pub quiet: Duration,
}

/// A burst is not waited for longer than this many quiet times.
const LONGEST_BURST: u32 = 10;

/// What others are told.
#[derive(Clone, Debug)]
pub struct SettingsHandle {
    /// The settings in force.
    pub state: watch::Receiver<SettingsState>,
    /// The ConfigMap, for Events on it.
    pub object: watch::Receiver<ObjectReference>,
}

enum Change {
    Config(Known<ConfigText>),
    Secret {
        name: String,
        watch: u64,
        values: Known<SecretValues>,
    },
}

struct SecretWatch {
    number: u64,
    keys: std::collections::BTreeSet<String>,
    _task: AbortOnDropHandle<()>,
}

struct Live {
    client: Client,
    source: SettingsSource,
    metrics: Metrics,
    knowledge: Knowledge,
    watches: BTreeMap<String, SecretWatch>,
    /// Each watch has a number, so that what an earlier one sent last is not taken for the news of a later one.
    started: u64,
    in_force: Option<Content>,
    state: watch::Sender<SettingsState>,
    object: watch::Sender<ObjectReference>,
    changes: mpsc::Sender<Change>,
}

/// Follows the settings; the future never ends by itself. It must run inside tokio.
pub fn follow(
    client: Client,
    source: SettingsSource,
    metrics: Metrics,
) -> (SettingsHandle, impl Future<Output = ()> + Send) {
    let state = watch::Sender::new(SettingsState::default());
    let object = watch::Sender::new(ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("ConfigMap".to_owned()),
        namespace: Some(source.namespace.clone()),
        name: Some(source.config_map.clone()),
        ..ObjectReference::default()
    });
    let handle = SettingsHandle {
        state: state.subscribe(),
        object: object.subscribe(),
    };
    let (changes, news) = mpsc::channel(16);
    let live = Live {
        knowledge: Knowledge {
            namespace: source.namespace.clone(),
            name: source.config_map.clone(),
            config: Known::NotYet,
            secrets: BTreeMap::new(),
        },
        client,
        source,
        metrics,
        watches: BTreeMap::new(),
        started: 0,
        in_force: None,
        state,
        object,
        changes,
    };
    (handle, live.run(news))
}

impl Live {
    async fn run(mut self, mut news: mpsc::Receiver<Change>) {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.source.namespace);
        let name = self.source.config_map.clone();
        let _task = watch(api, &name, ConfigText::of, Change::Config, self.changes.clone());
        while let Some(change) = news.recv().await {
            self.apply(change);
            let longest = Instant::now() + self.source.quiet * LONGEST_BURST;
            loop {
                let end = longest.min(Instant::now() + self.source.quiet);
                tokio::select! {
                    biased;
                    () = sleep_until(end) => break,
                    Some(change) = news.recv() => self.apply(change),
                }
            }
            self.conclude();
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Config(config) => {
                self.knowledge.config = config;
                self.name_object();
                self.watch_secrets();
            }
            Change::Secret { name, watch, values } => {
                if self.watches.get(&name).is_some_and(|current| current.number == watch) {
                    self.knowledge.secrets.insert(name, values);
                }
            }
        }
    }

    /// Events are found by the uid of their object.
    fn name_object(&self) {
        if let Known::Present(config) = &self.knowledge.config {
            self.object.send_if_modified(|object| {
                let changed = object.uid != config.uid;
                object.uid.clone_from(&config.uid);
                changed
            });
        }
    }

    /// The Secrets that are named, and no others. Settings that cannot be parsed name nothing new.
    fn watch_secrets(&mut self) {
        let Some(settings) = self.knowledge.settings() else {
            return;
        };
        let wanted = secrets_and_keys(&settings);
        self.watches.retain(|name, watch| wanted.get(name) == Some(&watch.keys));
        let watches = &self.watches;
        self.knowledge.secrets.retain(|name, _| watches.contains_key(name));
        for (name, keys) in wanted {
            if !self.watches.contains_key(&name) {
                self.started += 1;
                let number = self.started;
                let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.source.namespace);
                let (wanted, secret) = (keys.clone(), name.clone());
                let pick = move |secret| SecretValues::of(secret, &wanted);
                let wrap = move |values| Change::Secret {
                    name: secret.clone(),
                    watch: number,
                    values,
                };
                let task = watch(api, &name, pick, wrap, self.changes.clone());
                self.watches.insert(
                    name,
                    SecretWatch {
                        number,
                        keys,
                        _task: task,
                    },
                );
            }
        }
    }

    fn conclude(&mut self) {
        let rejected = match self.knowledge.assess() {
            Assessment::Wait => return,
            Assessment::Rejected(rejection) => Some(rejection),
            Assessment::Good(content) => self.put_in_force(*content).err(),
        };
        if let Some(rejection) = &rejected {
            tracing::warn!(
                reason = rejection.reason.as_str(),
                message = rejection.message,
                "settings rejected"
            );
        }
        self.state.send_if_modified(|state| {
            let changed = state.rejected != rejected;
            state.rejected = rejected;
            changed
        });
        let state = self.state.borrow();
        let generation = state.current.as_ref().map_or(0, |current| current.generation);
        self.metrics.settings(state.rejected.is_some(), generation);
    }

    fn put_in_force(&mut self, content: Content) -> Result<(), Rejection> {
        if self.in_force.as_ref().is_some_and(|before| before.is_same(&content)) {
            return Ok(());
        }
        let connections = Connections::with_pace(&content.settings, &content.values, &self.source.pace)
            .map_err(|error| Rejection::new(RejectionReason::SettingsRejected, &error))?;
        let connections = Arc::new(connections);
        self.metrics.connections(Arc::clone(&connections));
        let settings = content.settings.clone();
        let readings = self
            .source
            .readings
            .unwrap_or_else(|| ReadingsPace::every(settings.sync.interval.duration()));
        let readings = Readings::new(Arc::clone(&connections), readings);
        self.in_force = Some(content);
        let installation = self.knowledge.installation();
        self.state.send_modify(|state| {
            let generation = state.current.as_ref().map_or(1, |current| current.generation + 1);
            tracing::info!(generation, "settings in force");
            state.current = Some(Arc::new(Current {
                settings,
                connections,
                readings,
                installation,
                generation,
            }));
            state.rejected = None;
        });
        Ok(())
    }
}

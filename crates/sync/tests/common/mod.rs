//! The stage of every test here: a simulated cloud, a receiver, and the pipeline between them, over real sockets.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod cast;
mod cr;
pub mod expect;

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use multinic_delivery::{ManagementApi, ManagementApiSettings};
use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver, SEED_PROJECT, SEED_PROVIDER};
use multinic_model::NodeConfig;
use multinic_sync::{
    Config, Connections, Outcome, Pace, Report,
    observer::Unobserved,
    once::{Pruning, sync_once},
    settings::{SecretError, SecretRef, Secrets, Settings},
};
use multinic_transport::{Endpoint, RetryPolicy, Tls};
use secrecy::SecretString;
use serde_json::Value;

pub const PROVIDER: &str = SEED_PROVIDER;
pub const PROJECT: &str = SEED_PROJECT;
pub const CLUSTER: &str = "f5861c22-b252-42b5-a0c5-cfb1d245c819";

pub use cr::Cr;

/// Adds and updates only.
pub const ADD: Pruning = Pruning {
    prune: false,
    allow_mass_removal: false,
};
/// The configs are the whole truth.
pub const PRUNE: Pruning = Pruning {
    prune: true,
    allow_mass_removal: false,
};

/// The secrets of the settings, from memory.
#[derive(Clone)]
pub struct Known(BTreeMap<String, String>);

impl Known {
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Self(pairs.iter().map(pair).collect())
    }
}

impl Secrets for Known {
    fn fetch(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        let SecretRef::Env(name) = reference else {
            return Err(SecretError::NoKubernetes(reference.clone()));
        };
        let value = self.0.get(name).ok_or_else(|| SecretError::Env(name.clone()))?;
        Ok(value.as_str().into())
    }
}

/// What a stage is made of; the defaults are fast and patient.
pub struct Staging {
    pub receiver: Receiver,
    /// More keys below `openstack:`, as in `nodeNameMetadataKey: name`.
    pub openstack: Vec<String>,
    /// More keys below `contrabass:` and `managementApi:`.
    pub contrabass: Vec<String>,
    pub management_api: Vec<String>,
    /// What stands below `rabbitmq:`, in braces.
    pub rabbitmq: &'static str,
    /// Of every request.
    pub timeout: &'static str,
    pub secrets: Known,
    pub pace: Pace,
}

impl Default for Staging {
    fn default() -> Self {
        Self {
            receiver: Receiver::start().unwrap(),
            openstack: Vec::new(),
            contrabass: Vec::new(),
            management_api: Vec::new(),
            rabbitmq: "{}",
            timeout: "30s",
            secrets: Known::new(&[("KEY", DEMO_ENCRYPTION_KEY)]),
            pace: pace(),
        }
    }
}

/// The usual tries with hardly any pauses.
pub fn pace() -> Pace {
    let brief = RetryPolicy {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        retry_after_cap: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    Pace {
        contrabass: brief,
        openstack: multinic_cloud::RetryPolicy {
            budget: Duration::from_mins(1),
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(2),
            ..multinic_cloud::RetryPolicy::default()
        },
        management_api: brief,
        ..Pace::default()
    }
}

pub fn pages_of(items: u32) -> NonZeroU32 {
    NonZeroU32::new(items).unwrap()
}

impl Staging {
    fn settings(&self, lab: &Lab) -> Settings {
        // All is plain HTTP here; reading the system's certificates for each client would take most of the time.
        let timeout = format!("timeout: {}, tls: {{insecureSkipVerify: true}}", self.timeout);
        let more = |keys: &[String]| [&[String::new()], keys].concat().join(", ");
        let text = format!(
            "contrabass: {{endpoint: '{}', {timeout}, password: {{key: {{env: KEY}}}}{}}}\n\
             openstack: {{requestsPerSecond: 100000, {timeout}{}}}\n\
             managementApi: {{endpoint: '{}', {timeout}{}}}\n\
             sync: {{confirmationPause: 1ms}}\n\
             rabbitmq: {}\n",
            lab.contrabass_url(),
            more(&self.contrabass),
            more(&self.openstack),
            self.receiver.url(),
            more(&self.management_api),
            self.rabbitmq,
        );
        Settings::parse(&text).unwrap()
    }

    /// Opens the curtain.
    pub fn stage(self, cloud: CloudBuilder) -> Stage {
        let lab = Lab::start(cloud).unwrap();
        let settings = self.settings(&lab);
        let connections = Arc::new(Connections::with_pace(&settings, &self.secrets, &self.pace).unwrap());
        Stage {
            lab,
            receiver: self.receiver,
            settings,
            connections,
            secrets: self.secrets,
            pace: self.pace,
        }
    }
}

/// Everything that a pass meets.
pub struct Stage {
    pub lab: Lab,
    pub receiver: Receiver,
    pub settings: Settings,
    pub connections: Arc<Connections>,
    secrets: Known,
    pace: Pace,
}

impl Stage {
    pub fn new(cloud: CloudBuilder) -> Self {
        Staging::default().stage(cloud)
    }

    pub async fn pass(&self, configs: &[Cr], pruning: Pruning) -> Report {
        self.pass_with(&self.connections, configs, pruning).await
    }

    pub async fn pass_with(&self, connections: &Connections, configs: &[Cr], pruning: Pruning) -> Report {
        let configs = configs.iter().map(Cr::config).collect();
        sync_once(connections, &self.settings, configs, pruning, &Unobserved).await
    }

    /// A pass of configs of every kind.
    pub async fn pass_of(&self, configs: Vec<Config>, pruning: Pruning) -> Report {
        sync_once(&self.connections, &self.settings, configs, pruning, &Unobserved).await
    }

    /// Connections of one's own: no session, no memory.
    pub fn connect(&self) -> Arc<Connections> {
        Arc::new(Connections::with_pace(&self.settings, &self.secrets, &self.pace).unwrap())
    }

    /// As after a restart: no session, no memory.
    pub fn restart(&mut self) {
        self.connections = self.connect();
    }

    /// A pass that must end without a failure or an error.
    pub async fn good_pass(&self, configs: &[Cr], pruning: Pruning) -> Report {
        let report = self.pass(configs, pruning).await;
        assert!(report.outcome() <= Outcome::Warnings, "{report:#?}");
        report
    }

    /// `{nodeName: node config}` in force.
    pub fn nodes(&self) -> Value {
        self.receiver.node_configs(CLUSTER)
    }

    /// Puts node configs there as an earlier pass would have, and forgets that it did.
    pub async fn hold(&self, nodes: Vec<Value>) {
        let tls = Tls {
            insecure_skip_verify: true,
            ..Tls::default()
        };
        let api = ManagementApi::new(ManagementApiSettings {
            batch_size: NonZeroUsize::MAX,
            transport: Endpoint {
                tls,
                ..Endpoint::default()
            },
            ..ManagementApiSettings::new(self.receiver.url().parse().unwrap())
        })
        .unwrap();
        let nodes: Vec<NodeConfig> = nodes
            .into_iter()
            .map(|node| serde_json::from_value(node).unwrap())
            .collect();
        let delivery = api
            .deliver(
                &CLUSTER.parse().unwrap(),
                &nodes.iter().collect::<Vec<_>>(),
                &multinic_transport::AlwaysOpen,
            )
            .await;
        assert!(delivery.is_complete(), "{delivery:?}");
        self.receiver.clear_requests();
    }

    /// Every node config of every POST, in order.
    pub fn posted(&self) -> Vec<Value> {
        let bodies = self.receiver.posts().into_iter().map(|post| post.json());
        bodies.flat_map(|body| body.as_array().cloned().unwrap()).collect()
    }
}

//! Everything a check needs: OpenStack behind counting proxies, Contrabass, a management API, and the product.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Failure, broker,
    openstack::OpenStack,
    product::{self, Run},
    proxy::Proxy,
    seal::{self, PASSPHRASE},
    stand_ins::StandIns,
};

/// The provider whose password is right.
pub const PROVIDER: &str = "a919ea1c-9a09-4a9f-9021-ec68c1de2159";
/// The same cloud, whose notifications can be listened to.
pub const ANNOUNCED_PROVIDER: &str = "c919ea1c-9a09-4a9f-9021-ec68c1de2159";
/// A provider whose password Keystone refuses.
pub const REFUSED_PROVIDER: &str = "b919ea1c-9a09-4a9f-9021-ec68c1de2159";
/// What the refused provider's envelope holds.
pub const WRONG_PASSWORD: &str = "e2e-not-the-password";
/// The bearer token for Contrabass and the management API.
pub const BEARER: &str = "e2e-bearer-token";

/// See the module.
pub struct World {
    /// The lab, driven directly.
    pub openstack: OpenStack,
    /// In front of Keystone.
    pub keystone: Proxy,
    /// In front of Nova.
    pub nova: Proxy,
    /// In front of Neutron.
    pub neutron: Proxy,
    /// Contrabass and the management API.
    pub stand_ins: StandIns,
    /// The administrator's password.
    pub password: String,
    binary: PathBuf,
    folder: TempDir,
    said: Mutex<String>,
}

impl World {
    /// Starts everything that is not running yet.
    pub async fn new() -> Result<Self, Failure> {
        let password = std::env::var("LAB_ADMIN_PASSWORD").unwrap_or_else(|_| "lab-admin".to_owned());
        let openstack = OpenStack::new(&password)?;
        let keystone = Proxy::start(([127, 0, 0, 1], 5000).into()).await?;
        let url = keystone.url("/v3");
        let envelopes = [
            (PROVIDER, seal::seal(&password)?),
            (REFUSED_PROVIDER, seal::seal(WRONG_PASSWORD)?),
            (ANNOUNCED_PROVIDER, seal::seal(&password)?),
        ];
        let broker = (broker::USER, &*seal::seal(broker::PASSWORD)?, broker::ADDRESS);
        Ok(Self {
            stand_ins: StandIns::start(&url, &envelopes, broker, BEARER)?,
            nova: Proxy::start(([127, 0, 0, 1], 8774).into()).await?,
            neutron: Proxy::start(([127, 0, 0, 1], 9696).into()).await?,
            openstack,
            keystone,
            password,
            binary: product::binary()?,
            folder: tempfile::tempdir()?,
            said: Mutex::default(),
        })
    }

    /// An `OpenstackConfig` for project biz.
    pub fn config(&self, cluster: &str, subnet: Subnet<'_>, vms: &[&str]) -> Result<String, Failure> {
        self.config_at((PROVIDER, "biz"), cluster, subnet, vms)
    }

    /// The same with another provider and another project, by name or id.
    pub fn config_at(
        &self,
        (provider, project): (&str, &str),
        cluster: &str,
        subnet: Subnet<'_>,
        vms: &[&str],
    ) -> Result<String, Failure> {
        let (key, value) = match subnet {
            Subnet::Key(key) => ("subnetID", self.openstack.subnet_id(key)?),
            Subnet::Name(name) => ("subnetName", name),
        };
        let name = format!("{cluster}-{project}-{value}");
        let project = self.openstack.project_id(project).unwrap_or(project);
        Ok(format!(
            "apiVersion: multinic.example.com/v1alpha1\nkind: OpenstackConfig\nmetadata: {{name: {name}, namespace: \
             multinic-system}}\nspec:\n  {key}: {value:?}\n  vmNames: {vms:?}\n  credentials:\n    openstackProviderID: \
             {provider:?}\n    k8sProviderID: {cluster:?}\n    projectID: {project:?}\n"
        ))
    }

    /// The settings file: OpenStack through the proxies.
    pub fn settings(&self) -> Settings {
        Settings {
            contrabass: self.stand_ins.contrabass_url(),
            management_api: self.stand_ins.management_api_url(),
            provider_path: "/api/providers/{id}",
            interval: "1s",
            rabbitmq: "enabled: auto",
            openstack: format!(
                "endpoints: {{network: {:?}, compute: {:?}}}, requestsPerSecond: 100",
                self.neutron.url(""),
                self.nova.url("/v2.1")
            ),
        }
    }

    /// Writes the files and runs `multinic COMMAND -f … --config …` with more arguments.
    pub fn run(&self, command: &[&str], settings: &Settings, configs: &[String]) -> Result<Run, Failure> {
        self.run_with(command, settings, configs, &[("E2E_KEY", PASSPHRASE)])
    }

    /// The same with other environment variables; `E2E_KEY` is where the settings look for the envelope's passphrase.
    pub fn run_with(
        &self,
        command: &[&str],
        settings: &Settings,
        configs: &[String],
        environment: &[(&str, &str)],
    ) -> Result<Run, Failure> {
        fs::write(self.folder.path().join("settings.yaml"), settings.yaml())?;
        let mut args = command.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
        for (index, config) in configs.iter().enumerate() {
            fs::write(self.folder.path().join(format!("cr-{index}.yaml")), config)?;
            args.extend(["-f".to_owned(), format!("cr-{index}.yaml")]);
        }
        args.extend(["--config".to_owned(), "settings.yaml".to_owned()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let environment = [&[("E2E_BEARER", BEARER)], environment].concat();
        let run = product::run(&self.binary, self.folder.path(), &args, &environment)?;
        self.heard(&run.stdout);
        self.heard(&run.stderr);
        Ok(run)
    }

    /// The binary under test.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// For files that last as long as the world.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Notes what a process has printed that [`World::run`] did not run.
    pub fn heard(&self, text: &str) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    /// Everything that any run has printed so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every body that was POSTed for a cluster, in order.
    pub fn posts(&self, cluster: &str) -> Vec<Value> {
        self.stand_ins.posts(cluster)
    }

    /// Requests to OpenStack since the last [`World::forget_requests`], one per line.
    pub fn requests(&self) -> Vec<String> {
        [&self.keystone, &self.nova, &self.neutron]
            .iter()
            .flat_map(|proxy| proxy.requests())
            .collect()
    }

    /// Starts counting anew.
    pub fn forget_requests(&self) {
        for proxy in [&self.keystone, &self.nova, &self.neutron] {
            proxy.forget_requests();
        }
    }

    /// Every token that went by.
    pub fn tokens(&self) -> Vec<String> {
        [&self.keystone, &self.nova, &self.neutron]
            .iter()
            .flat_map(|proxy| proxy.tokens())
            .collect()
    }
}

/// How a config names its subnet.
#[derive(Clone, Copy)]
pub enum Subnet<'a> {
    /// By the id that the seed keeps under this key.
    Key(&'a str),
    /// By name.
    Name(&'a str),
}

/// What goes into the settings file.
#[derive(Clone)]
pub struct Settings {
    contrabass: String,
    management_api: String,
    /// `contrabass.providerPath`.
    pub provider_path: &'static str,
    /// `sync.interval` of the operator.
    pub interval: &'static str,
    /// The members of `rabbitmq:`, as YAML flow text.
    pub rabbitmq: &'static str,
    /// The members of `openstack:`, as YAML flow text.
    pub openstack: String,
}

impl Settings {
    /// With one more member of `openstack:`.
    pub fn with(mut self, member: &str) -> Self {
        self.openstack = format!("{}, {member}", self.openstack);
        self
    }

    /// With another management API.
    pub fn with_management_api(mut self, url: &str) -> Self {
        url.clone_into(&mut self.management_api);
        self
    }

    /// As a metadata key names the nodes.
    pub fn with_metadata_key(self) -> Self {
        self.with("nodeNameMetadataKey: k8s-node-name")
    }

    /// For the operator, with the secrets in the Secret `e2e`.
    pub fn in_kubernetes(&self) -> String {
        let interval = format!("interval: {}, ", self.interval);
        self.text(|name| format!("{{secret: e2e, key: {name}}}"), &interval)
    }

    fn yaml(&self) -> String {
        self.text(|name| format!("{{env: {name}}}"), "")
    }

    fn text(&self, secret: impl Fn(&str) -> String, sync: &str) -> String {
        let (bearer, key) = (secret("E2E_BEARER"), secret("E2E_KEY"));
        format!(
            "contrabass: {{endpoint: {:?}, providerPath: {:?}, token: {bearer}, password: {{key: {key}}}}}\nopenstack: {{{}}}\nmanagementApi: \
             {{endpoint: {:?}, token: {bearer}}}\nsync: {{{sync}confirmationPause: 200ms}}\nrabbitmq: {{{}}}\n",
            self.contrabass, self.provider_path, self.openstack, self.management_api, self.rabbitmq
        )
    }
}

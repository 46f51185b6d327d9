//! Everything that runs: the cloud, the management API, the Kubernetes API, the operator.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_operator::{Operator, OperatorError, Options};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    files::{self, NAME, NAMESPACE},
    hand::{Hand, command_line},
    show::{self, Nodes},
};
use crate::{failure::Failure, output::print};

/// The cluster of the resource.
const CLUSTER: &str = "f5861c22-b252-42b5-a0c5-cfb1d245c819";
/// The operator's own user.
const USER: &str = "multinic-operator";
/// Its resource, in full.
const RESOURCE: &str = "openstackconfigs.multinic.example.com";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The demo's world.
pub struct World {
    pub lab: Lab,
    pub receiver: Receiver,
    pub hand: Hand,
    kubernetes: KubernetesLab,
    folder: TempDir,
    installed: String,
    metrics: Option<SocketAddr>,
    shutdown: CancellationToken,
    operator: JoinHandle<Result<(), OperatorError>>,
}

impl World {
    /// Starts all of it, and installs what `kubectl apply -k deploy/` would, but for the operator's pod.
    pub async fn start() -> Result<Self, Failure> {
        let lab = Lab::start(CloudBuilder::seed()).map_err(Failure::failed)?;
        let receiver = Receiver::start().map_err(Failure::failed)?;
        let kubernetes = KubernetesLab::builder()
            .user(USER, "multinic-operator-token")
            .patience(PATIENCE)
            .start()
            .await
            .map_err(Failure::failed)?;
        let folder = write(&lab, &receiver, &kubernetes)?;
        let admin = Client::try_from(config(&kubernetes.kubeconfig()).await?).map_err(Failure::failed)?;
        let hand = Hand::find(&folder.path().join("kubeconfig"), admin);
        let installed = hand.apply(&folder.path().join("install.yaml")).await?;
        let options = Options {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ..Options::new(NAMESPACE, "demo")
        };
        let config = config(&kubernetes.kubeconfig_of(USER)).await?;
        let operator = Operator::new(config, options).await.map_err(Failure::failed)?;
        let shutdown = CancellationToken::new();
        Ok(Self {
            lab,
            receiver,
            hand,
            kubernetes,
            folder,
            installed,
            metrics: operator.address(),
            operator: tokio::spawn(operator.run(shutdown.clone())),
            shutdown,
        })
    }

    /// Stops the operator as SIGTERM does: it gives its lease back.
    pub async fn end(self) -> Result<(), Failure> {
        self.shutdown.cancel();
        self.operator.await.map_err(Failure::failed)?.map_err(Failure::failed)
    }

    /// A file of the demo.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What runs where.
    pub fn introduction(&self) -> String {
        let metrics = self.metrics.map(|address| format!("http://{address}/metrics"));
        format!(
            "== A cloud, a management API, a Kubernetes API and the operator, all on this machine\n\n\
             Contrabass      {}\nKeystone        {}\nNova            {}\nNeutron         {}\nmanagement API  {}\n\
             Kubernetes API  {}\noperator        {}\n\n\
             == The operator's installation, with {}\n\n\
             $ export KUBECONFIG={}\n$ cd {}\n{}{}",
            self.lab.contrabass_url(),
            self.lab.keystone_url(),
            self.lab.nova_url(),
            self.lab.neutron_url(),
            self.receiver.url(),
            self.kubernetes.url(),
            metrics.unwrap_or_default(),
            self.hand.name(),
            self.path("kubeconfig").display(),
            self.folder.path().display(),
            command_line("apply -f install.yaml"),
            self.installed,
        )
    }

    /// What the user can try now.
    pub fn invitation(&self) -> String {
        let kubectl = format!("kubectl --kubeconfig {}", self.path("kubeconfig").display());
        let object = format!("openstackconfig {NAME} -n {NAMESPACE}");
        let folder = self.folder.path().display();
        format!(
            "\n== Everything keeps running; Ctrl-C ends it, and each further POST is shown here. In another terminal:\n\n\
             {kubectl} get openstackconfigs -A\n\
             {kubectl} describe {object}\n\
             {kubectl} edit {object}            # say, take a VM out of vmNames\n\
             {kubectl} edit configmap multinic-operator-config -n {NAMESPACE}\n\
             {kubectl} get events,leases -n {NAMESPACE}\n\
             {kubectl} delete {object}          # its nodes are cleaned up first\n\
             multinic doctor -f {folder}/openstackconfig.yaml --config {folder}/multinic.yaml\n"
        )
    }

    /// Waits until the operator says Ready of the newest spec, with so many interfaces.
    pub async fn until_ready(&self, interfaces: u64) -> Result<(), Failure> {
        self.until(|object| {
            object.is_some_and(|object| {
                is_ready(object) && object["status"]["interfaceCount"].as_u64() == Some(interfaces)
            })
        })
        .await
    }

    /// Waits until the resource is no more.
    pub async fn until_gone(&self) -> Result<(), Failure> {
        self.until(|object| object.is_none()).await
    }

    async fn until(&self, expected: impl Fn(Option<&Value>) -> bool) -> Result<(), Failure> {
        let waited = self.kubernetes.until(RESOURCE, NAMESPACE, NAME, expected).await;
        waited.map(drop).map_err(Failure::failed)
    }

    /// Waits until there were so many POSTs.
    pub async fn until_posts(&self, count: usize) {
        self.receiver.until(|_| self.receiver.posts().len() >= count).await;
    }

    /// Shows the POSTs after the first `seen` ones; there is at least one, or will be.
    pub async fn show_posts(&self, seen: usize) -> Result<(), Failure> {
        timeout(PATIENCE, self.until_posts(seen + 1))
            .await
            .map_err(|_| Failure::failed("the operator sent nothing"))?;
        for post in self.receiver.posts().iter().skip(seen) {
            print(&show::post(&self.receiver.url(), post)?)?;
        }
        Ok(())
    }

    /// What the management API has.
    pub fn nodes(&self) -> Result<Nodes, Failure> {
        serde_json::from_value(self.receiver.node_configs(CLUSTER)).map_err(Failure::failed)
    }
}

fn write(lab: &Lab, receiver: &Receiver, kubernetes: &KubernetesLab) -> Result<TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("multinic-demo-").tempdir();
    let folder =
        folder.map_err(|error| Failure::failed(error).hint("set TMPDIR to a folder that can be written to"))?;
    let key = format!("{{file: {}}}", folder.path().join("contrabass.key").display());
    for (name, content) in [
        ("kubeconfig", kubernetes.kubeconfig()),
        ("install.yaml", files::install(lab, receiver)?),
        ("openstackconfig.yaml", files::RESOURCE.to_owned()),
        ("multinic.yaml", files::settings(lab, receiver, &key)),
        ("contrabass.key", DEMO_ENCRYPTION_KEY.to_owned()),
    ] {
        fs::write(folder.path().join(name), content).map_err(Failure::failed)?;
    }
    Ok(folder)
}

async fn config(kubeconfig: &str) -> Result<Config, Failure> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(Failure::failed)?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(Failure::failed)
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    ready.any(|ready| ready["status"] == "True" && ready["observedGeneration"] == object["metadata"]["generation"])
}

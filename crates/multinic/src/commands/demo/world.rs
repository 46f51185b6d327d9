//! Everything that runs: the cloud, the management API, three Kubernetes APIs, the operator.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use multinic_api_client::{Told, Watch, views::Change};
use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, SEED_SUBNET_NAME};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_operator::{Operator, OperatorError, Options};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    files::{self, CLUSTER, NAME, NAMESPACE, OTHER_CLUSTER, OTHER_VM},
    hand::{Hand, command_line},
    server::ManagementApi,
    workload::Workload,
};
use crate::{failure::Failure, output::print};

/// The operator's own user.
const USER: &str = "multinic-operator";
/// Its resource, in full.
const RESOURCE: &str = "openstackconfigs.multinic.example.com";
/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The demo's world.
pub struct World {
    pub lab: Lab,
    pub api: ManagementApi,
    pub hand: Hand,
    pub workloads: [Workload; 2],
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
        let lab = Lab::start(cloud()).map_err(Failure::failed)?;
        let kubernetes = KubernetesLab::builder()
            .user(USER, "multinic-operator-token")
            .patience(PATIENCE)
            .start()
            .await
            .map_err(Failure::failed)?;
        let folder = folder()?;
        let api = ManagementApi::start(folder.path()).await?;
        write(&folder, &lab, &api.url, &kubernetes)?;
        let admin = Client::try_from(config(&kubernetes.kubeconfig()).await?).map_err(Failure::failed)?;
        let hand = Hand::find(&folder.path().join("kubeconfig"), admin);
        let workloads = [
            Workload::start(CLUSTER, folder.path(), &hand).await?,
            Workload::start(OTHER_CLUSTER, folder.path(), &hand).await?,
        ];
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
            api,
            hand,
            workloads,
            kubernetes,
            folder,
            installed,
            metrics: operator.address(),
            operator: tokio::spawn(operator.run(shutdown.clone())),
            shutdown,
        })
    }

    /// Stops the operator as SIGTERM does: it gives its lease back. Then the management API.
    pub async fn end(self) -> Result<(), Failure> {
        self.shutdown.cancel();
        let ended = self.operator.await.map_err(Failure::failed)?;
        self.api.end().await?;
        ended.map_err(Failure::failed)
    }

    /// A file of the demo.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What runs where.
    pub fn introduction(&self) -> String {
        let metrics = self.metrics.map(|address| format!("http://{address}/metrics"));
        format!(
            "== A cloud, the operator and the management API, a management cluster and two workload clusters, all on this \
             machine\n\n\
             Contrabass          {}\nKeystone            {}\nNova                {}\nNeutron             {}\n\
             management API      {}, everything is kept in {}\n\
             management cluster  {}\nworkload clusters   {}, {}\noperator            {}\n\n\
             == The operator's installation, with {}\n\n\
             $ export KUBECONFIG={}\n$ cd {}\n{}{}",
            self.lab.contrabass_url(),
            self.lab.keystone_url(),
            self.lab.nova_url(),
            self.lab.neutron_url(),
            self.api.url,
            self.path("api.db").display(),
            self.kubernetes.url(),
            self.workloads[0].url(),
            self.workloads[1].url(),
            metrics.unwrap_or_default(),
            self.hand.name(),
            self.path("kubeconfig").display(),
            self.folder.path().display(),
            command_line("apply -f install.yaml"),
            self.installed,
        )
    }

    /// What the user can try now.
    fn invitation(&self) -> String {
        let kubectl = self.hand.command();
        let object = format!("openstackconfig {NAME} -n {NAMESPACE}");
        let folder = self.folder.path().display();
        let (workload, api) = (self.workloads[0].hand.command(), &self.api.url);
        format!(
            "\n== Everything keeps running; Ctrl-C ends it, and each further change is shown here. In another terminal:\n\n\
             {kubectl} get openstackconfigs -A\n\
             {kubectl} describe {object}\n\
             {kubectl} edit {object}            # say, take a VM out of vmNames\n\
             {kubectl} edit configmap multinic-operator-config -n {NAMESPACE}\n\
             {kubectl} get events,leases -n {NAMESPACE}\n\
             {workload} get multinicnodeconfigs -n {NAMESPACE} -o yaml\n\
             {kubectl} delete {object}          # its nodes are cleaned up first\n\
             multinic get nodes --provider {CLUSTER} --server {api}\n\
             multinic get node measure-biz-worker-2 --provider {CLUSTER} --server {api}\n\
             multinic doctor -f {folder}/openstackconfig.yaml --config {folder}/multinic.yaml\n"
        )
    }

    /// Shows each change as it comes, until Ctrl-C.
    pub async fn keep_running(&self) -> Result<(), Failure> {
        let [biz, other] = [&self.workloads[0], &self.workloads[1]].map(|workload| self.changes(workload));
        let (mut biz, mut other) = (biz.await?, other.await?);
        print(&self.invitation())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended.map_err(Failure::failed),
            ended = tell_changes(CLUSTER, &mut biz) => ended,
            ended = tell_changes(OTHER_CLUSTER, &mut other) => ended,
        }
    }

    /// What changes in a cluster from now on.
    async fn changes(&self, workload: &Workload) -> Result<Watch<'_>, Failure> {
        let cluster = workload.id.parse().map_err(Failure::failed)?;
        let mut watch = self.api.reader.watch(&cluster, None);
        while !matches!(watch.next().await.map_err(Failure::failed)?, Told::Synced) {}
        Ok(watch)
    }

    /// Waits until the operator says Ready of the newest spec of a resource, with so many interfaces.
    pub async fn until_ready(&self, name: &str, interfaces: u64) -> Result<(), Failure> {
        self.until(name, |object| {
            object.is_some_and(|object| {
                is_ready(object) && object["status"]["interfaceCount"].as_u64() == Some(interfaces)
            })
        })
        .await
    }

    /// Waits until the resource is no more.
    pub async fn until_gone(&self) -> Result<(), Failure> {
        self.until(NAME, |object| object.is_none()).await
    }

    async fn until(&self, name: &str, expected: impl Fn(Option<&Value>) -> bool) -> Result<(), Failure> {
        let waited = self.kubernetes.until(RESOURCE, NAMESPACE, name, expected).await;
        waited.map(drop).map_err(Failure::failed)
    }
}

async fn tell_changes(cluster: &str, watch: &mut Watch<'_>) -> Result<(), Failure> {
    loop {
        let Told::Change { change, .. } = watch.next().await.map_err(Failure::failed)? else {
            continue;
        };
        let change = Change::deserialize(&change).map_err(Failure::failed)?;
        let (interfaces, revision) = (change.interfaces.len(), change.revision);
        print(&format!(
            "{} {} in {cluster}: revision {revision}, {interfaces} interface(s)\n",
            change.kind, change.node_name
        ))?;
    }
}

/// The cloud of the seed, and a VM of another cluster.
fn cloud() -> CloudBuilder {
    let cloud = CloudBuilder::seed().vm(OTHER_VM);
    cloud.port("primary-sub").port(SEED_SUBNET_NAME)
}

fn folder() -> Result<TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("multinic-demo-").tempdir();
    let folder =
        folder.map_err(|error| Failure::failed(error).hint("set TMPDIR to a folder that can be written to"))?;
    fs::create_dir(folder.path().join("kubeconfigs")).map_err(Failure::failed)?;
    Ok(folder)
}

fn write(folder: &TempDir, lab: &Lab, api: &str, kubernetes: &KubernetesLab) -> Result<(), Failure> {
    let key = format!("{{file: {}}}", folder.path().join("contrabass.key").display());
    for (name, content) in [
        ("kubeconfig", kubernetes.kubeconfig()),
        ("install.yaml", files::install(lab, api)?),
        ("openstackconfig.yaml", files::RESOURCE.to_owned()),
        ("other.yaml", files::OTHER_RESOURCE.to_owned()),
        ("multinic.yaml", files::settings(lab, api, &key)),
        ("contrabass.key", DEMO_ENCRYPTION_KEY.to_owned()),
    ] {
        fs::write(folder.path().join(name), content).map_err(Failure::failed)?;
    }
    Ok(())
}

/// What a kubeconfig says.
pub async fn config(kubeconfig: &str) -> Result<Config, Failure> {
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

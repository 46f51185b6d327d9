//! The real `multinic api` as a process of its own, on a real PostgreSQL, with a workload cluster to deliver into.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use multinic_lab_kubernetes::KubernetesLab;
use multinic_testing::postgres::PostgresServer;
use serde_json::{Value, json};

use crate::{
    Failure, product,
    world::{BEARER, World},
};

const NAMESPACE: &str = "multinic-system";
const OBJECTS: &str = "multinicnodeconfigs.multinic.io";
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";
const PATIENCE: Duration = Duration::from_mins(1);

/// See the module.
pub struct Api<'a> {
    world: &'a World,
    cluster: &'a str,
    workload: KubernetesLab,
    address: String,
    child: Option<Child>,
    database: PostgresServer,
}

impl<'a> Api<'a> {
    /// Starts the database, the cluster and the process.
    pub async fn start(world: &'a World, cluster: &'a str) -> Result<Self, Failure> {
        let workload = KubernetesLab::builder().patience(PATIENCE).start().await?;
        let folder = world.folder();
        fs::create_dir_all(folder.join("kubeconfigs"))?;
        fs::write(folder.join("kubeconfigs").join(cluster), workload.kubeconfig())?;
        fs::write(folder.join("api-token"), BEARER)?;
        let tokens =
            json!({"tokens": [{"name": "e2e", "role": "operator", "providers": ["*"], "tokenFile": "api-token"}]});
        fs::write(folder.join("tokens.yaml"), tokens.to_string())?;
        let mut api = Self {
            world,
            cluster,
            workload,
            address: "127.0.0.1:0".to_owned(),
            child: None,
            database: tokio::task::spawn_blocking(|| PostgresServer::start(&[])).await?,
        };
        api.resume()?;
        Ok(api)
    }

    /// Its address, which stays.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts the process; returns when it listens.
    pub fn resume(&mut self) -> Result<(), Failure> {
        let mut child = Command::new(self.world.binary())
            .args(["-vv", "api", "--tokens", "tokens.yaml", "--kubeconfigs", "kubeconfigs"])
            .args(["--database", &self.database.url(), "--listen", &self.address])
            .current_dir(self.world.folder())
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no stderr")?).lines();
        self.child = Some(child);
        let mut said = String::new();
        while let Some(line) = lines.next() {
            let line = line?;
            if let Some(address) = line.strip_prefix("listening on http://") {
                address.clone_into(&mut self.address);
                let mut log = fs::File::options().create(true).append(true).open(self.log())?;
                // Somebody has to read on, whatever becomes of the lines.
                std::thread::spawn(move || {
                    for line in lines.map_while(Result::ok) {
                        let _ = writeln!(log, "{line}");
                    }
                });
                return Ok(());
            }
            said.push_str(&line);
        }
        Err(format!("multinic api ended: {said}").into())
    }

    fn log(&self) -> PathBuf {
        self.world.folder().join("api.log")
    }

    /// SIGTERM: it must end by itself, with exit code 0.
    pub fn stop(&mut self) -> Result<(), Failure> {
        let mut child = self.child.take().ok_or("multinic api does not run")?;
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        let status = child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(format!("multinic api ended with {status} after SIGTERM").into())
    }

    /// Waits until the workload cluster has exactly these interfaces for a node; says how long that took.
    pub async fn arrives(&self, node: &str, interfaces: &[Value]) -> Result<Duration, Failure> {
        let began = Instant::now();
        let installed = self.workload.until(DEFINITIONS, "", OBJECTS, |found| found.is_some());
        installed.await?;
        let named: Vec<Value> = interfaces.iter().map(named).collect();
        let is_there =
            |object: Option<&Value>| object.is_some_and(|object| object["spec"]["interfaces"] == json!(named));
        let waited = self.workload.until(OBJECTS, NAMESPACE, node, is_there).await;
        if let Err(error) = waited {
            let found = self.workload.get(OBJECTS, NAMESPACE, node)?.unwrap_or_default();
            return Err(format!("{error}\n  expected {named:?}\n  found    {}", found["spec"]).into());
        }
        Ok(began.elapsed())
    }

    /// A node's object.
    pub fn object(&self, node: &str) -> Result<Value, Failure> {
        Ok(self.workload.get(OBJECTS, NAMESPACE, node)?.unwrap_or_default())
    }

    /// `multinic get ARGS -o json` of the cluster.
    pub fn get(&self, args: &[&str]) -> Result<Value, Failure> {
        let (url, token) = (self.url(), [("MULTINIC_TOKEN", BEARER)]);
        let more = ["--provider", self.cluster, "--server", &url, "-o", "json"];
        let args = [&["get"], args, &more].concat();
        let run = product::run(self.world.binary(), self.world.folder(), &args, &token)?;
        self.world.heard(&run.stderr);
        run.exits(0)?.json()
    }
}

impl Drop for Api<'_> {
    fn drop(&mut self) {
        // It has ended already, unless a check failed.
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        let log = fs::read_to_string(self.log());
        self.world.heard(&log.unwrap_or_default());
    }
}

/// As it stands in the object: with the link's name.
fn named(interface: &Value) -> Value {
    let mut interface = interface.clone();
    interface["name"] = json!(format!("multinic{}", interface["id"]));
    interface
}

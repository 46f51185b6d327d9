//! `multinic demo`: the whole pipeline over HTTP against a simulated cloud on this machine.

use std::{collections::BTreeMap, fs, process::ExitCode};

use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver, SEED_SUBNET_NAME};
use multinic_model::{InterfaceId, MacAddress, NodeConfig, NodeName};
use multinic_sync::{
    Config, Connections, Outcome, Report,
    manifest::Manifests,
    once::{Pruning, sync_once},
    settings::{LocalSecrets, Settings},
};
use tempfile::TempDir;

use crate::{
    cli::DemoArgs,
    failure::Failure,
    output::{findings, print, table},
    progress::Progress,
};

/// The seed's own resource, unchanged.
const RESOURCE: &str = include_str!("../../../../deploy/samples/openstackconfig.yaml");

/// The VM that gets one more port.
const GROWING_VM: &str = "measure-biz-worker-2";

/// Tells the story; with `--once` ends after it, else keeps the cloud running until Ctrl-C.
pub async fn run(args: &DemoArgs, verbose: u8) -> Result<ExitCode, Failure> {
    let demo = Demo::start()?;
    demo.introduce()?;

    print("\n== First pass: resolve, read, plan, deliver, report\n\n")?;
    let first = demo.pass(verbose).await?;

    print(&format!(
        "\n== Somebody attaches one more port of {SEED_SUBNET_NAME} to {GROWING_VM}\n\n"
    ))?;
    demo.lab
        .cloud()
        .attach_port(GROWING_VM, SEED_SUBNET_NAME)
        .map_err(Failure::failed)?;
    let second = demo.pass(verbose).await?;

    print(&compare(&ids(&first), &ids(&second))?)?;
    if !args.once {
        demo.keep_running().await?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Demo {
    lab: Lab,
    receiver: Receiver,
    folder: TempDir,
    settings: Settings,
    connections: Connections,
}

impl Demo {
    fn start() -> Result<Self, Failure> {
        let lab = Lab::start(CloudBuilder::seed()).map_err(Failure::failed)?;
        let receiver = Receiver::start().map_err(Failure::failed)?;
        let folder = tempfile::Builder::new()
            .prefix("multinic-demo-")
            .tempdir()
            .map_err(Failure::failed)?;
        let key = folder.path().join("contrabass.key");
        let text = format!(
            "contrabass:\n  endpoint: {}\n  password: {{key: {{file: {}}}}}\nmanagementApi:\n  endpoint: {}\n",
            lab.contrabass_url(),
            key.display(),
            receiver.url()
        );
        for (name, content) in [
            ("contrabass.key", DEMO_ENCRYPTION_KEY),
            ("multinic.yaml", &text),
            ("cr.yaml", RESOURCE),
        ] {
            fs::write(folder.path().join(name), content).map_err(Failure::failed)?;
        }
        let settings = Settings::parse(&text).map_err(Failure::failed)?;
        let connections = Connections::new(&settings, &LocalSecrets).map_err(Failure::failed)?;
        Ok(Self {
            lab,
            receiver,
            folder,
            settings,
            connections,
        })
    }

    fn introduce(&self) -> Result<(), Failure> {
        print(&format!(
            "== A cloud on this machine\n\n\
             Contrabass      {}\nKeystone        {}\nNova            {}\nNeutron         {}\nmanagement API  {}\n\n\
             == The user's OpenstackConfig\n\n{RESOURCE}",
            self.lab.contrabass_url(),
            self.lab.keystone_url(),
            self.lab.nova_url(),
            self.lab.neutron_url(),
            self.receiver.url(),
        ))
    }

    async fn pass(&self, verbose: u8) -> Result<Report, Failure> {
        let manifests = Manifests::parse([("cr.yaml", RESOURCE)]).map_err(Failure::failed)?;
        let configs = manifests.selections.into_iter().map(Config::new).collect();
        let (before, posts) = (self.lab.requests().len(), self.receiver.posts().len());
        let progress = Progress::start();
        let report = sync_once(
            &self.connections,
            &self.settings,
            configs,
            Pruning::default(),
            &progress,
        )
        .await;
        drop(progress);
        print(&table::render(&report, true))?;
        for post in self.receiver.posts().iter().skip(posts) {
            let nodes: Vec<NodeConfig> = serde_json::from_str(&post.body).map_err(Failure::failed)?;
            let body = serde_json::to_string_pretty(&nodes).map_err(Failure::failed)?;
            print(&format!(
                "\nPOST {}/v1/k8s/multinic/node-configs\nx-provider-id: {}\n\n{body}\n",
                self.receiver.url(),
                post.cluster
            ))?;
        }
        print(&format!(
            "\n({} requests to Contrabass and OpenStack)\n",
            self.lab.requests().len() - before
        ))?;
        findings::tell_all(&report, verbose);
        match report.outcome() {
            Outcome::Done | Outcome::Warnings => Ok(report),
            Outcome::Errors | Outcome::Failed => Err(Failure::failed("the demo's pass did not end well")),
        }
    }

    async fn keep_running(&self) -> Result<(), Failure> {
        let folder = self.folder.path().display();
        print(&format!(
            "\n== The cloud keeps running; Ctrl-C ends it. In another terminal:\n\n\
             multinic doctor -f {folder}/cr.yaml --config {folder}/multinic.yaml\n\
             multinic plan -f {folder}/cr.yaml --config {folder}/multinic.yaml --all\n"
        ))?;
        tokio::signal::ctrl_c().await.map_err(Failure::failed)
    }
}

type Ids = BTreeMap<(NodeName, MacAddress), InterfaceId>;

fn ids(report: &Report) -> Ids {
    let nodes = report.clusters.values().flat_map(|cluster| &cluster.plan.nodes);
    nodes
        .flat_map(|(name, node)| {
            node.config
                .interfaces
                .iter()
                .map(|i| ((name.clone(), i.mac_address), i.id))
        })
        .collect()
}

/// Says of every interface whether its id stayed; that one moved is a failure of the product.
fn compare(before: &Ids, after: &Ids) -> Result<String, Failure> {
    let mut lines = vec!["\n== Interface ids\n\n".to_owned()];
    for ((node, mac), id) in after {
        let verdict = match before.get(&(node.clone(), *mac)) {
            Some(old) if old == id => "kept",
            Some(_) => return Err(Failure::failed(format!("{node}: the id of {mac} moved"))),
            None => "new",
        };
        lines.push(format!("{node:<24} {mac}  id {id}  {verdict}\n"));
    }
    Ok(lines.concat())
}

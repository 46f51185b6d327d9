//! Changes that Nova and Neutron announce on the real RabbitMQ: how soon they are delivered, how soon without, and that
//! no other consumer loses a message by it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    Failure,
    broker::Consumers,
    distribution::Distribution,
    expected::{Nic, WORKER_3, node},
    openstack::Made,
    operator::Operator,
    results::{Results, same},
    world::{ANNOUNCED_PROVIDER, Settings, Subnet, World},
};

const CLUSTER: &str = "e2e-rabbitmq";
/// Of servers that live for this check only.
const SERVERS: &str = "e2e-rabbitmq-servers";
const SHORT_LIVED: &str = "e2e-rabbitmq-server";

/// So often a port goes and comes if `E2E_REPEAT` says nothing else. The other repetitions follow from it.
const REPEAT: usize = 5;

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    let repeat = std::env::var("E2E_REPEAT").map_or(Some(REPEAT), |text| text.parse().ok());
    let Some(repeat) = repeat else {
        return results.record("E2E_REPEAT is a number", Err("it is not".into()));
    };
    let outcome = announced(world, results, repeat).await;
    results.record(
        "announced changes come long before the next reading: ports go and come, servers go; ceilometer loses nothing",
        outcome,
    );
    let outcome = polled(world, results, repeat.div_ceil(3)).await;
    results.record("the same changes without notifications", outcome);
}

/// The shape of Contrabass's answers that names the broker.
fn settings(world: &World) -> Settings {
    let mut settings = world.settings();
    settings.provider_path = "/v1/contrabass/admin/infra/provider/{id}";
    settings
}

/// With an interval so long that no periodic reading sees anything.
async fn announced(world: &World, results: &mut Results, repeat: usize) -> Result<(), Failure> {
    let consumers = Consumers::start().await?;
    let mut settings = settings(world);
    settings.interval = "1h";
    let mut story = Story::begin(world, &settings).await?;
    story.operator.says(&story.names[0], "EventSource").await?;
    let figures = story.ports(repeat, &consumers).await?;
    let servers = story.servers(repeat.div_ceil(3)).await?;
    story.end().await?;
    let label = "interval 1 h, notifications";
    figures.print(results, label);
    results.figure(&format!("{label}: `server delete` sent, to POST"), servers);
    nothing_lost(consumers, repeat).await
}

async fn polled(world: &World, results: &mut Results, repeat: usize) -> Result<(), Failure> {
    let consumers = Consumers::start().await?;
    let mut settings = settings(world);
    settings.rabbitmq = "enabled: false";
    let mut story = Story::begin(world, &settings).await?;
    let figures = story.ports(repeat, &consumers).await?;
    let servers = story.servers(repeat.div_ceil(3)).await?;
    story.end().await?;
    let label = "interval 1 s, no notifications";
    figures.print(results, label);
    results.figure(&format!("{label}: `server delete` sent, to POST"), servers);
    Ok(())
}

/// Ceilometer's queue has everything that a queue of its own got, and what must be in there.
async fn nothing_lost(consumers: Consumers, repeat: usize) -> Result<(), Failure> {
    let [ceilometer, control] = consumers.end().await?;
    let port = "port.update.end";
    let updates = ceilometer
        .iter()
        .filter(|message| message["event_type"] == port)
        .count();
    same(
        "at least two updates of a port for each time",
        &(updates >= 2 * repeat),
        &true,
    )?;
    let ids = |messages: &[Value]| {
        let mut ids: Vec<_> = messages
            .iter()
            .map(|message| message["message_id"].to_string())
            .collect();
        ids.sort();
        ids
    };
    same("messages that ceilometer got", &ids(&ceilometer), &ids(&control))
}

/// What a port that came or went took, many times over.
#[derive(Default)]
struct Took {
    /// From the request to OpenStack to the POST.
    all: Distribution,
    /// From the request to OpenStack's own announcement: nobody can be sooner.
    openstack: Distribution,
    /// From there to the POST.
    ours: Distribution,
}

impl Took {
    fn add(&mut self, took: Duration, announced: Option<Duration>) {
        self.all.add(took);
        if let Some(announced) = announced {
            self.openstack.add(announced);
            self.ours.add(took.saturating_sub(announced));
        }
    }

    fn print(&self, results: &mut Results, label: &str) {
        results.figure(&format!("{label} sent, to POST"), &self.all);
        results.figure(&format!("{label} sent, to Neutron's announcement"), &self.openstack);
        results.figure(&format!("{label}: Neutron's announcement, to POST"), &self.ours);
    }
}

/// What ports that went and came took.
#[derive(Default)]
struct Ports {
    gone: Took,
    come: Took,
    requests: usize,
}

impl Ports {
    fn print(&self, results: &mut Results, label: &str) {
        self.come.print(results, &format!("{label}: `add port`"));
        self.gone.print(results, &format!("{label}: `remove port`"));
        results.figure(
            &format!("{label}: requests to OpenStack while they came and went"),
            self.requests,
        );
    }
}

/// A server with two interfaces, of which one goes and comes.
struct Story<'a> {
    world: &'a World,
    operator: Operator<'a>,
    names: Vec<String>,
    interfaces: Vec<Value>,
}

impl<'a> Story<'a> {
    async fn begin(world: &'a World, settings: &Settings) -> Result<Self, Failure> {
        let mut story = Self {
            world,
            operator: Operator::start_with(world, settings).await?,
            names: Vec::new(),
            interfaces: Vec::new(),
        };
        for (index, nic) in [Nic::Mgmt, Nic::Data].into_iter().enumerate() {
            let config = story.config(CLUSTER, nic, &[WORKER_3.server])?;
            story.names.push(story.operator.ready(&config).await?);
            story.interfaces.push(nic.interface(index + 1, WORKER_3));
            story.delivers(story.interfaces.len()).await?;
        }
        Ok(story)
    }

    fn config(&self, cluster: &str, nic: Nic, vms: &[&str]) -> Result<String, Failure> {
        let place = (ANNOUNCED_PROVIDER, "biz");
        self.world.config_at(place, cluster, Subnet::Key(nic.subnet()), vms)
    }

    /// Waits until the server has that many interfaces in the management API.
    async fn delivers(&self, interfaces: usize) -> Result<Duration, Failure> {
        let id = self.world.openstack.server_id(WORKER_3.server)?;
        let node = node(WORKER_3.server, id, &self.interfaces[..interfaces]);
        self.operator.delivers(CLUSTER, &json!({ WORKER_3.server: node })).await
    }

    /// The data port goes and comes; the first time is not counted. Nova makes one change of a server at a time: each
    /// begins when Nova is done with the one before, for it would only wait for it.
    async fn ports(&self, repeat: usize, consumers: &Consumers) -> Result<Ports, Failure> {
        let (mut ports, cloud, server) = (Ports::default(), &self.world.openstack, WORKER_3.server);
        let (port, id) = (Nic::Data.port(WORKER_3), cloud.server_id(server)?);
        for time in 0..=repeat {
            if time == 1 {
                ports = Ports::default();
                self.world.forget_requests();
            }
            let begun = Instant::now();
            let (detached, gone) = tokio::join!(cloud.detach(server, &port), self.delivers(1));
            ports.gone.add(gone?, self.announced(consumers, begun, &port)?);
            consumers.announced(begun, "instance.interface_detach.end", id).await?;
            let begun = Instant::now();
            let (attached, come) = tokio::join!(cloud.attach(server, &port), self.delivers(2));
            ports.come.add(come?, self.announced(consumers, begun, &port)?);
            detached.and(attached)?;
        }
        ports.requests = self.world.requests().len();
        Ok(ports)
    }

    /// How long after that moment Neutron has announced a change of the port, if it has.
    fn announced(&self, consumers: &Consumers, begun: Instant, port: &str) -> Result<Option<Duration>, Failure> {
        let port = self.world.openstack.port_id(port)?;
        let at = consumers.first_after(begun, "port.update.end", port);
        Ok(at.map(|at| at - begun))
    }

    /// Servers are made and deleted, one after the other.
    async fn servers(&mut self, count: usize) -> Result<Distribution, Failure> {
        let mut made = Vec::new();
        for number in 0..count {
            let name = format!("{SHORT_LIVED}-{number}");
            let port = Nic::Data.port(WORKER_3);
            made.push(self.world.openstack.create_like(WORKER_3.server, &name, &port).await?);
        }
        let outcome = self.deletions(&made).await;
        for made in &made {
            self.world.openstack.forget(made).await?;
        }
        outcome
    }

    async fn deletions(&mut self, made: &[Made]) -> Result<Distribution, Failure> {
        let ids: Vec<&str> = made.iter().map(|made| made.server.as_str()).collect();
        let config = self.config(SERVERS, Nic::Data, &ids)?;
        self.names.push(self.operator.ready(&config).await?);
        let (mut took, mut nodes) = (Distribution::default(), self.world.stand_ins.node_configs(SERVERS));
        for (number, made) in made.iter().enumerate() {
            let name = format!("{SHORT_LIVED}-{number}");
            same(
                "interfaces before",
                &nodes[&name]["interfaces"].as_array().map(Vec::len),
                &Some(1),
            )?;
            nodes[&name] = node(&name, &made.server, &[]);
            let delete = self.world.openstack.delete_server(&made.server);
            let (deleted, gone) = tokio::join!(delete, self.operator.delivers(SERVERS, &nodes));
            deleted?;
            took.add(gone?);
        }
        Ok(took)
    }

    /// What was delivered is withdrawn.
    async fn end(self) -> Result<(), Failure> {
        for name in &self.names {
            self.operator.delete(name).await?;
        }
        self.delivers(0).await?;
        self.operator.stop().await
    }
}

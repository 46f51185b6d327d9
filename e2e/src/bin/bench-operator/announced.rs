//! The same fleet while its clouds announce what changes in them, on a real RabbitMQ.

use std::time::{Duration, Instant, SystemTime};

use multinic_lab::{
    DEMO_ENCRYPTION_KEY,
    publisher::{Account, Announcement, Publisher},
};
use multinic_testing::rabbitmq::RabbitVhost;
use stage::{Failure, Replica, Stage};
use tokio::time::sleep;

use crate::{
    fleet::{self, Fleet},
    requests,
};

/// Ports that come, one after the other.
const PORTS: usize = 30;
/// Longer than any pause that hints cause.
const QUIET: Duration = Duration::from_secs(10);

/// One broker for all providers, each with a queue of its own.
pub struct Broker {
    publisher: Publisher,
    _vhost: RabbitVhost,
}

impl Broker {
    /// A virtual host of its own, which the settings of this stage name.
    pub async fn of(stage: &mut Stage) -> Result<Self, Failure> {
        let vhost = RabbitVhost::create();
        let management = vhost.management();
        management.user(vhost.user(), DEMO_ENCRYPTION_KEY);
        for exchange in ["nova", "neutron"] {
            management.declare_exchange(exchange);
        }
        let (broker, name, user) = (vhost.address(), vhost.name(), vhost.user());
        stage.rabbitmq = format!(
            "brokers: ['{broker}'], vhost: {name}, user: {user}, password: {{secret: contrabass, key: encryptionKey}}"
        );
        let account = Account::new("127.0.0.1", broker.port(), name, user, DEMO_ENCRYPTION_KEY);
        let publisher = Publisher::connect(&account).await?;
        Ok(Self {
            publisher,
            _vhost: vhost,
        })
    }
}

/// From the announcement of a new port to the POST with it.
pub async fn new_ports(stage: &Stage, fleet: &Fleet, broker: &Broker) -> Result<(), Failure> {
    let mut took = Vec::new();
    stage.lab.clear_requests();
    for sample in 0..PORTS {
        let index = sample * fleet.configs / PORTS;
        let cloud = stage.lab.cloud();
        let port = cloud.attach_port(&fleet::vm_id(stage, index)?, &fleet.subnet(index))?;
        let (mac, announced) = (cloud.mac_of(&port)?, cloud.announced_port(&port)?);
        let (began, at) = (SystemTime::now(), Instant::now());
        broker
            .publisher
            .publish(&Announcement::port_updated(&announced))
            .await?;
        requests::until_posted(stage, &mac, began).await;
        took.push(at.elapsed());
    }
    took.sort();
    println!(
        "one announced port, from its announcement to the POST: median {} ms, longest {} ms of {PORTS} (target 1 s); {} \
         requests to OpenStack",
        took[PORTS / 2].as_millis(),
        took[PORTS - 1].as_millis(),
        stage.lab.requests().len()
    );
    Ok(())
}

/// Something is said of every VM.
pub async fn storm(stage: &Stage, fleet: &Fleet, broker: &Broker, replica: &Replica) -> Result<(), Failure> {
    let mut announcements = Vec::new();
    for vm in fleet.vms() {
        let port = stage.lab.cloud().ports_of(&vm)?.remove(0);
        let port = stage.lab.cloud().announced_port(&port)?;
        announcements.push(Announcement::port_updated(&port));
    }
    stage.lab.clear_requests();
    let before = replica.usage()?;
    let began = Instant::now();
    broker.publisher.publish_all(&announcements).await?;
    let published = began.elapsed();
    sleep(QUIET).await;
    let after = replica.usage()?;
    println!(
        "{} announcements of as many VMs within {:.1} s: {} requests to OpenStack, {:.1} s of CPU, peak memory {:.1} MiB",
        announcements.len(),
        published.as_secs_f64(),
        stage.lab.requests().len(),
        after.cpu.saturating_sub(before.cpu).as_secs_f64(),
        after.peak_mebibytes()
    );
    Ok(())
}

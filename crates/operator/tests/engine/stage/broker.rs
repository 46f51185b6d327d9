//! A real broker, and what OpenStack announces there.

use multinic_lab::{
    CloudBuilder, DEMO_ENCRYPTION_KEY, DEMO_RABBIT_PASSWORD, Receiver,
    publisher::{Account, AnnouncedPort, Announcement, Publisher},
};
use multinic_model::openstack_config::OpenstackConfig;
use multinic_testing::rabbitmq::{Management, RabbitServer, RabbitVhost};

use super::{Stage, cast};

/// Those of Nova and Neutron.
const EXCHANGES: [&str; 2] = ["nova", "neutron"];

/// A stage whose cloud announces what changes in it, in a virtual host of its own.
pub struct Announced {
    pub stage: Stage,
    publisher: Publisher,
    _vhost: RabbitVhost,
}

impl Announced {
    /// Everything but the engine. Contrabass names the broker.
    pub async fn set() -> Self {
        let vhost = RabbitVhost::create();
        let cloud = cast::announced(vhost.user(), vhost.address());
        let mut this = Self::with(vhost, DEMO_RABBIT_PASSWORD, cloud).await;
        this.stage.settings.announced = true;
        this
    }

    /// Everything but the engine, with another cloud. The settings name the broker.
    pub async fn of(cloud: CloudBuilder) -> Self {
        let vhost = RabbitVhost::create();
        let (broker, user) = (vhost.address(), vhost.user().to_owned());
        let mut this = Self::with(vhost, DEMO_ENCRYPTION_KEY, cloud).await;
        let named = format!(", brokers: ['{broker}'], user: {user}, password: {{env: KEY}}");
        this.stage.settings.rabbitmq.push_str(&named);
        this
    }

    async fn with(vhost: RabbitVhost, password: &str, cloud: CloudBuilder) -> Self {
        vhost.management().user(vhost.user(), password);
        declare(vhost.management());
        let (address, user) = (vhost.address(), vhost.user());
        let account = Account::new("127.0.0.1", address.port(), vhost.name(), user, password);
        let mut stage = Stage::set(cloud, Receiver::start().unwrap()).await;
        stage.settings.rabbitmq = format!("vhost: {}", vhost.name());
        Self {
            stage,
            publisher: Publisher::connect(&account).await.unwrap(),
            _vhost: vhost,
        }
    }

    /// Publishes these; returns when the broker has them.
    pub async fn announce(&self, announcements: &[Announcement]) {
        self.publisher.publish_all(announcements).await.unwrap();
    }

    /// A port as it is announced now.
    pub fn port(&self, id: &str) -> AnnouncedPort {
        self.stage.lab.cloud().announced_port(id).unwrap()
    }
}

/// A broker of one's own, with a user whose password Contrabass names.
pub fn broker(user: &str) -> RabbitServer {
    let broker = RabbitServer::start();
    let management = broker.management();
    management.user(user, DEMO_RABBIT_PASSWORD);
    management.allow(user, ".*", ".*", ".*");
    declare(&management);
    broker
}

fn declare(broker: &Management) {
    for exchange in EXCHANGES {
        broker.declare_exchange(exchange);
    }
}

/// Whether a condition has this reason, of whatever version of the spec.
pub fn because(config: &OpenstackConfig, kind: &str, reason: &str) -> bool {
    let conditions = config.status.iter().flat_map(|status| &status.conditions);
    let mut of_kind = conditions.filter(|condition| condition.type_ == kind);
    of_kind.any(|condition| condition.reason == reason)
}

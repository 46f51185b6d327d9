//! A broker of one's own: to be stopped, killed, frozen, started again.

use std::{
    fs::File,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command},
    sync::Mutex,
};

use super::{
    management::{ADMIN, Management},
    node::{END, Node},
    ports::loopback,
};
use crate::programs::{done, open, watchdog};

/// What a broker is to be like.
#[derive(Clone, Debug, Default)]
pub struct RabbitSettings {
    /// Whether it listens with TLS as well.
    pub tls: bool,
    /// Further lines of `rabbitmq.conf`.
    pub further: Vec<String>,
}

/// A running broker; it ends, and its folder goes, when dropped.
#[derive(Debug)]
pub struct RabbitServer {
    node: Node,
    authority: Option<String>,
    broker: Mutex<Option<Child>>,
    /// Held for as long as the broker is needed.
    _in_use: File,
}

impl RabbitServer {
    /// One without TLS.
    pub fn start() -> Self {
        Self::start_with(&RabbitSettings::default())
    }

    /// One like this.
    pub fn start_with(settings: &RabbitSettings) -> Self {
        let name = format!("multinic-rabbitmq-{:016x}", rand::random::<u64>());
        let folder = std::env::temp_dir().join(name);
        let in_use = open(&folder.with_extension("in-use"));
        in_use.lock().unwrap();
        // Also after this process was killed.
        let script = format!("flock --exclusive \"$1.in-use\" true; {END} \"$1.in-use\"");
        watchdog(&script, &folder);
        let (node, authority) = Node::prepare(&folder, &settings.further, settings.tls);
        node.start_mapper();
        let server = Self {
            node,
            authority,
            broker: Mutex::default(),
            _in_use: in_use,
        };
        server.resume();
        server
    }

    /// Starts it again, on the same ports, with what it has stored; returns when it takes connections.
    pub fn resume(&self) {
        *self.broker.lock().unwrap() = Some(self.node.start());
    }

    /// Stops it as an administrator would; returns when it has ended.
    pub fn stop(&self) {
        self.end("TERM");
    }

    /// Kills it; returns when it has ended.
    pub fn kill(&self) {
        self.end("KILL");
    }

    fn end(&self, signal: &str) {
        if let Some(mut broker) = self.broker.lock().unwrap().take() {
            send(&broker, signal);
            broker.wait().unwrap();
        }
    }

    /// It stays there and answers nothing.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// It goes on where it was frozen.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        send(self.broker.lock().unwrap().as_ref().unwrap(), signal);
    }

    /// Where it listens, without TLS.
    pub fn address(&self) -> SocketAddr {
        loopback(self.node.ports.amqp)
    }

    /// Where it listens with TLS, if it does; its certificate is for `localhost` and `127.0.0.1`.
    pub fn tls_address(&self) -> SocketAddr {
        loopback(self.node.ports.amqps)
    }

    /// The certificate of the authority behind its own, in PEM; empty without TLS.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().unwrap_or_default()
    }

    /// A user that may do everything.
    pub const fn user(&self) -> &str {
        ADMIN
    }

    /// The user's password.
    pub const fn password(&self) -> &str {
        ADMIN
    }

    /// What an administrator sees and does in the virtual host `/`.
    pub fn management(&self) -> Management {
        self.node.management("/")
    }

    /// Raises or clears the memory alarm: while it lasts, the broker blocks connections that publish.
    pub fn memory_alarm(&self, on: bool) {
        let share = if on { "0.000001" } else { "0.8" };
        self.control(&["set_vm_memory_high_watermark", share]);
    }

    /// Runs `rabbitmqctl`; what it printed.
    pub fn control(&self, arguments: &[&str]) -> String {
        self.node.control(arguments)
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        self.node.log()
    }

    /// Its folder.
    pub fn folder(&self) -> PathBuf {
        self.node.folder.clone()
    }
}

impl Drop for RabbitServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn send(process: &Child, signal: &str) {
    let id = process.id().to_string();
    done(Command::new("kill").arg(format!("-{signal}")).arg(id));
}

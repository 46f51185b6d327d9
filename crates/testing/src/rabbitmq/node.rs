//! One broker: its folder, its processes.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    certificates,
    management::{ADMIN, Management},
    ports::{Ports, loopback},
};
use crate::programs::{Account, done};

/// The package's own account.
const ACCOUNT: Account = Account("rabbitmq");

const MISSING: &str = "RabbitMQ was not found; install it with: apt-get install rabbitmq-server";

/// Ends the processes of the folder `$1`: only those that were started with it as their home.
pub(super) const END: &str = r#"
    for name in broker mapper; do
      pid=$(cat "$1/$name.pid") && tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "HOME=$1" && kill -KILL "$pid"
    done; rm -rf "$1""#;

/// A broker in a folder.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub folder: PathBuf,
    pub ports: Ports,
}

impl Node {
    /// What another process has written down in the folder.
    pub fn find(folder: &Path) -> Option<Self> {
        let line = fs::read_to_string(folder.join("ports")).ok()?;
        Some(Self {
            folder: folder.to_owned(),
            ports: Ports::from_line(&line)?,
        })
    }

    /// Writes everything that a start needs, into a folder that is new. Lines of `rabbitmq.conf` may be added. Gives the
    /// authority's certificate if it is to listen with TLS.
    pub fn prepare(folder: &Path, further: &[String], tls: bool) -> (Self, Option<String>) {
        ACCOUNT.make_folder(folder);
        let node = Self {
            folder: folder.to_owned(),
            ports: Ports::choose(),
        };
        let authority = tls.then(|| certificates::write(folder, ACCOUNT));
        let mut configuration = node.configuration(tls);
        configuration.extend_from_slice(further);
        node.write("rabbitmq.conf", &(configuration.join("\n") + "\n"));
        node.write("enabled_plugins", "[rabbitmq_management].\n");
        node.write("ports", &node.ports.to_line());
        (node, authority)
    }

    fn configuration(&self, tls: bool) -> Vec<String> {
        let Ports {
            amqp,
            amqps,
            management,
            ..
        } = self.ports;
        let mut lines = vec![
            format!("listeners.tcp.1 = 127.0.0.1:{amqp}"),
            "management.tcp.ip = 127.0.0.1".to_owned(),
            format!("management.tcp.port = {management}"),
            format!("default_user = {ADMIN}"),
            format!("default_pass = {ADMIN}"),
            "collect_statistics_interval = 500".to_owned(),
            "management.rates_mode = none".to_owned(),
            "disk_free_limit.absolute = 1MB".to_owned(),
        ];
        if tls {
            let folder = self.folder.display();
            lines.extend([
                format!("listeners.ssl.1 = 127.0.0.1:{amqps}"),
                format!("ssl_options.cacertfile = {folder}/ca.pem"),
                format!("ssl_options.certfile = {folder}/server.pem"),
                format!("ssl_options.keyfile = {folder}/server.key"),
                "ssl_options.verify = verify_none".to_owned(),
            ]);
        }
        lines
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        ACCOUNT.give(&path);
    }

    /// Erlang's port mapper. Without it the broker would start one that nobody ends.
    pub fn start_mapper(&self) {
        let port = self.ports.mapper.to_string();
        let mapper = self.spawn("mapper", &["epmd", "-address", "127.0.0.1", "-port", &port]);
        drop(mapper);
        while std::net::TcpStream::connect(loopback(self.ports.mapper)).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts the broker and waits until it takes connections.
    pub fn start(&self) -> Child {
        let mut broker = self.spawn("broker", &[&program("rabbitmq-server")]);
        while !self.is_up() {
            if let Some(status) = broker.try_wait().unwrap() {
                panic!("RabbitMQ ended with {status}: {}", self.log());
            }
            thread::sleep(Duration::from_millis(20));
        }
        broker
    }

    fn is_up(&self) -> bool {
        self.management("/").answers() && std::net::TcpStream::connect(loopback(self.ports.amqp)).is_ok()
    }

    /// Runs `rabbitmqctl`; what it printed.
    pub fn control(&self, arguments: &[&str]) -> String {
        done(self.command(&program("rabbitmqctl")).arg("--quiet").args(arguments))
    }

    pub fn management(&self, vhost: &str) -> Management {
        Management::new(loopback(self.ports.management), vhost)
    }

    /// Everything that the broker has logged.
    pub fn log(&self) -> String {
        let name = self.folder.join("log/rabbit@localhost.log");
        fs::read_to_string(name)
            .or_else(|_| fs::read_to_string(self.folder.join("broker.out")))
            .unwrap_or_default()
    }

    /// A program of the package with the environment that keeps it in its folder.
    fn command(&self, program: &str) -> Command {
        let mut command = ACCOUNT.command(program);
        let local = "-kernel inet_dist_use_interface {127,0,0,1}";
        command
            .env("HOME", &self.folder)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", self.ports.mapper.to_string())
            .env("RABBITMQ_NODENAME", "rabbit@localhost")
            .env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", self.folder.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", self.folder.join("log"))
            .env("RABBITMQ_CONFIG_FILE", self.folder.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.folder.join("enabled_plugins"))
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", local)
            .env("RABBITMQ_CTL_ERL_ARGS", local)
            // The script becomes the broker instead of waiting for it.
            .env("RUNNING_UNDER_SYSTEMD", "true");
        command
    }

    /// Starts a program that writes down its process id first.
    fn spawn(&self, name: &str, program: &[&str]) -> Child {
        let script = r#"echo $$ >"$1"; shift; exec "$@""#;
        let output = fs::File::create(self.folder.join(format!("{name}.out"))).unwrap();
        self.command("sh")
            .args(["-c", script, "sh"])
            .arg(self.folder.join(format!("{name}.pid")))
            .args(program)
            .stdout(output.try_clone().unwrap())
            .stderr(Stdio::from(output))
            // Whoever ends a test and all that it has started leaves what others share alone.
            .process_group(0)
            .spawn()
            .unwrap()
    }
}

/// Debian's own entry points insist on being root or the package's account; these do not.
fn program(name: &str) -> String {
    let path = format!("/usr/lib/rabbitmq/bin/{name}");
    assert!(Path::new(&path).exists(), "{MISSING}");
    path
}

//! The server, as a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
};

use multinic_management_api::{
    delivery::DeliveryOptions,
    server::{Options, Server as Api},
    store::DatabaseSettings,
};
use tokio_util::sync::CancellationToken;

/// `measure serve`: serves, with everything as it is by default, until it is killed.
pub async fn serve(database: &str, kubeconfigs: &str) {
    let options = Options {
        delivery: DeliveryOptions {
            kubeconfigs: Some(kubeconfigs.into()),
            ..DeliveryOptions::default()
        },
        ..Options::new((Ipv4Addr::LOCALHOST, 0).into(), DatabaseSettings::new(database))
    };
    let server = Api::start(options, CancellationToken::new()).await.unwrap();
    println!("{}", server.address());
    server.run().await;
}

#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(database: &str, kubeconfigs: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(database)
            .arg(kubeconfigs)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        Self {
            address: line.trim().parse().expect("the server did not start"),
            child,
        }
    }

    /// In MiB.
    pub fn memory(&self, what: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        let kib = line.trim_start_matches(':').trim_end_matches("kB").trim();
        kib.parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

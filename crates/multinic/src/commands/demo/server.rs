//! The management API of the demo: the real one, on SQLite, in this process.

use std::{net::Ipv4Addr, path::Path, time::Duration};

use clap::Parser;
use multinic_api_client::{ApiReader, ReaderSettings, views::Provider};
use multinic_management_api::{
    delivery::DeliveryOptions,
    server::{Options, Server},
    store::DatabaseSettings,
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::world::PATIENCE;
use crate::{
    cli::{Cli, Command},
    commands::get,
    failure::Failure,
    output::print,
};

/// A running management API.
pub struct ManagementApi {
    pub url: String,
    pub reader: ApiReader,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl ManagementApi {
    /// Keeps everything in `folder` and delivers into the clusters of `folder/kubeconfigs`.
    pub async fn start(folder: &Path) -> Result<Self, Failure> {
        let database = format!("sqlite://{}", folder.join("api.db").display());
        let options = Options {
            delivery: DeliveryOptions {
                kubeconfigs: Some(folder.join("kubeconfigs")),
                ..DeliveryOptions::default()
            },
            ..Options::new((Ipv4Addr::LOCALHOST, 0).into(), DatabaseSettings::new(database))
        };
        let shutdown = CancellationToken::new();
        let server = Server::start(options, shutdown.clone())
            .await
            .map_err(Failure::failed)?;
        let url = format!("http://{}", server.address());
        let endpoint = url
            .parse()
            .map_err(|_| Failure::failed("failed to read the server's address"))?;
        Ok(Self {
            reader: ApiReader::new(ReaderSettings::new(endpoint)).map_err(Failure::failed)?,
            running: tokio::spawn(server.run()),
            shutdown,
            url,
        })
    }

    /// The command as the user would type it, and what it shows.
    pub async fn show(&self, args: &[&str]) -> Result<(), Failure> {
        let line = [&["multinic", "get"], args, &["--server", &self.url]].concat();
        print(&format!("\n$ {}\n", line.join(" ")))?;
        match Cli::try_parse_from(line).map_err(Failure::failed)?.command {
            Command::Get(args) => get::run(&args).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Waits until every cluster has everything.
    pub async fn until_delivered(&self) -> Result<(), Failure> {
        let delivered = async {
            while self.undelivered().await? > 0 {
                sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        let waited = timeout(PATIENCE, delivered).await;
        waited.map_err(|_| Failure::failed("the management API did not deliver"))?
    }

    async fn undelivered(&self) -> Result<u64, Failure> {
        let mut pages = self.reader.providers(100);
        let providers = pages.next::<Provider>().await.map_err(Failure::failed)?;
        let providers = providers.unwrap_or_default();
        Ok(providers.iter().map(|provider| provider.undelivered).sum())
    }

    /// Ends as on SIGTERM.
    pub async fn end(self) -> Result<(), Failure> {
        self.shutdown.cancel();
        self.running.await.map_err(Failure::failed)
    }
}

//! Reads a project of a real OpenStack and prints the inventory, cold and warm, with the requests it took.
//!
//! `OS_AUTH_URL`, `OS_USERNAME`, `OS_PASSWORD`, `OS_PROJECT_ID`, `OS_DOMAIN` (default `default`), `OS_REGION_NAME`,
//! `OS_CACERT`; `SUBNETS` and `VMS` are lists with commas, a subnet is an id unless it begins with `name:`; `METADATA_KEY`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::{env, error::Error, time::Instant};

use multinic_cloud::{Cloud, CloudCredentials, CloudSettings, ReadRequest};
use multinic_model::{SubnetSelector, VmSelector};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(env::var("RUST_LOG").unwrap_or_default())
        .with_writer(std::io::stderr)
        .init();
    let cloud = Cloud::new(settings());
    let credentials = credentials()?;
    let request = request()?;
    for pass in ["cold", "warm"] {
        let (before, start) = (cloud.requests().total(), Instant::now());
        let result = cloud.read(&credentials, &request).await;
        let sent = cloud.requests().total() - before;
        eprintln!("{pass}: {sent} requests, {} ms", start.elapsed().as_millis());
        match result {
            Ok(inventory) if pass == "warm" => println!("{inventory:#?}"),
            Ok(_) => {}
            Err(error) => eprintln!(
                "{}: {error}\n{:?}\nhint: {:?}",
                error.category(),
                error.source().map(ToString::to_string),
                error.hint()
            ),
        }
    }
    eprintln!("{:#?}\n{:?}", cloud.connect(&credentials).await, cloud.requests());
    Ok(())
}

fn settings() -> CloudSettings {
    let mut settings = CloudSettings {
        region: env::var("OS_REGION_NAME").ok(),
        node_name_metadata_key: env::var("METADATA_KEY").ok(),
        ..CloudSettings::default()
    };
    settings.endpoint.tls.ca_file = env::var_os("OS_CACERT").map(Into::into);
    settings
}

fn credentials() -> Result<CloudCredentials, Box<dyn Error>> {
    Ok(CloudCredentials {
        provider: "example".parse()?,
        project: env::var("OS_PROJECT_ID")?.parse()?,
        auth_url: env::var("OS_AUTH_URL")?.parse()?,
        username: env::var("OS_USERNAME")?,
        password: env::var("OS_PASSWORD")?.into(),
        domain: env::var("OS_DOMAIN").unwrap_or_else(|_| "default".to_owned()),
    })
}

fn request() -> Result<ReadRequest, Box<dyn Error>> {
    let mut request = ReadRequest::default();
    for text in env::var("SUBNETS")
        .unwrap_or_default()
        .split(',')
        .filter(|text| !text.is_empty())
    {
        request.subnets.insert(match text.strip_prefix("name:") {
            Some(name) => SubnetSelector::Name(name.to_owned()),
            None => SubnetSelector::Id(text.parse()?),
        });
    }
    request.vms = env::var("VMS")
        .unwrap_or_default()
        .split(',')
        .filter_map(VmSelector::new)
        .collect();
    Ok(request)
}

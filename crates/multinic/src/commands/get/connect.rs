//! Whom to ask, and about which cluster.

use std::{env, fs::File, io::Read, num::NonZeroU32, time::Duration};

use multinic_api_client::{ApiReader, Endpoint, ReaderSettings, RetryPolicy, Tls, views::Provider};
use multinic_model::ClusterId;
use secrecy::SecretString;
use url::Url;

use super::explain::explain;
use crate::{
    cli::get::{ProviderArg, ServerArgs},
    failure::Failure,
};

/// The longest file that can hold a token, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;

/// How many clusters an error lists.
const LISTED: usize = 10;

/// What the flags and the environment say. Nothing is sent.
pub fn reader(args: &ServerArgs) -> Result<ApiReader, Failure> {
    let endpoint = args.server.parse::<Url>().map_err(|error| {
        let hint = "give the address with --server, such as https://multinic.example.com:8443";
        Failure::bad_input(format!("failed to read the server's address: {error}")).hint(hint)
    })?;
    let settings = ReaderSettings {
        token: token(args)?,
        transport: Endpoint {
            tls: Tls {
                ca_file: args.ca_file.clone(),
                ..Tls::default()
            },
            ..Endpoint::default()
        },
        retry: RetryPolicy {
            attempts: NonZeroU32::MIN.saturating_add(2),
            base: Duration::from_millis(200),
            ..RetryPolicy::default()
        },
        ..ReaderSettings::new(endpoint)
    };
    ApiReader::new(settings).map_err(explain)
}

/// The file wins over `MULTINIC_TOKEN`; there is no flag for the token itself, which every user of the machine could read.
fn token(args: &ServerArgs) -> Result<Option<SecretString>, Failure> {
    let Some(path) = &args.token_file else {
        let token = env::var("MULTINIC_TOKEN").ok().filter(|token| !token.trim().is_empty());
        return Ok(token.map(SecretString::from));
    };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TOKEN).read_to_string(&mut text));
    read.map_err(|error| {
        let what = format!("failed to read the token in {}: {error}", path.display());
        Failure::bad_input(what).hint("check --token-file or MULTINIC_TOKEN_FILE")
    })?;
    Ok(Some(text.into()))
}

/// The cluster that was named, or the only one there is.
pub async fn cluster(reader: &ApiReader, arg: &ProviderArg) -> Result<ClusterId, Failure> {
    if let Some(cluster) = &arg.provider {
        return Ok(cluster.clone());
    }
    let mut ids = Vec::new();
    let mut pages = reader.providers(super::PAGE);
    while ids.len() <= LISTED
        && let Some(page) = pages.next::<Provider>().await.map_err(needed)?
    {
        ids.extend(page.into_iter().map(|provider| provider.id));
    }
    match ids.as_slice() {
        [] => Err(Failure::failed("the server knows no cluster yet").hint("name one with --provider")),
        [only] => only.parse().map_err(Failure::failed),
        several => {
            let more = if several.len() > LISTED { ", …" } else { "" };
            let listed = several.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
            let hint = format!("name one with --provider: {listed}{more}");
            Err(Failure::bad_input("the server knows several clusters").hint(hint))
        }
    }
}

/// An agent's token may not list the clusters.
fn needed(error: multinic_api_client::ReadError) -> Failure {
    match error.problem() {
        Some(problem) if problem.status == 403 => {
            Failure::bad_input(error).hint("name the cluster with --provider or MULTINIC_PROVIDER")
        }
        _ => explain(error),
    }
}

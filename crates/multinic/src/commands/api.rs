//! `multinic api`: the management API, and what its database needs.

use std::{fs, process::ExitCode};

use jiff::SignedDuration;
use multinic_management_api::{
    delivery::DeliveryOptions,
    http::auth::ReviewSettings,
    server::{Options, Server, ServerError},
    store::{self, DatabaseSettings, Store, StoreError},
    tls::{self, TlsFiles},
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{ApiArgs, ApiCommand, ClientAuth, DatabaseArgs, Registration, TlsArgs},
    failure::Failure,
    output::say,
    signals::stop_on_signals,
};

/// Serves until SIGTERM or SIGINT, or does the one thing that was asked for.
pub async fn run(args: ApiArgs) -> Result<ExitCode, Failure> {
    let database = DatabaseSettings::new(url(&args.database)?);
    match args.command {
        None => serve(args, database).await,
        Some(ApiCommand::Migrate) => open(&database)?.migrate().await.map_err(explain),
        Some(ApiCommand::Backup { to }) => open(&database)?.backup(&to).await.map_err(explain),
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: ApiArgs, database: DatabaseSettings) -> Result<(), Failure> {
    let options = Options {
        registration: registration(args.registration),
        tokens: args.tokens,
        delivery: DeliveryOptions {
            kubeconfigs: args.kubeconfigs,
            ..DeliveryOptions::default()
        },
        token_review: args.review.token_review.then(|| ReviewSettings {
            kubeconfig: args.review.token_review_kubeconfig,
            audience: args.review.token_review_audience,
            ..ReviewSettings::default()
        }),
        insecure_http: args.tls.insecure_http,
        tls: tls(args.tls)?,
        history: SignedDuration::from_hours(24 * i64::from(args.history_days)),
        ..Options::new(args.listen, database)
    };
    let shutdown = CancellationToken::new();
    stop_on_signals(shutdown.clone()).map_err(Failure::failed)?;
    let server = Server::start(options, shutdown).await.map_err(|error| match error {
        ServerError::Store(error) => explain(error),
        error @ ServerError::Listen { .. } => Failure::failed(error).hint("choose another address with --listen"),
        error @ ServerError::Plain { .. } => Failure::bad_input(error)
            .hint("give --tls-cert and --tls-key, or --insecure-http if something in front of it speaks TLS"),
        error => Failure::bad_input(error),
    })?;
    say(&format!("listening on {}://{}", server.scheme(), server.address()));
    server.run().await;
    Ok(())
}

fn url(args: &DatabaseArgs) -> Result<SecretString, Failure> {
    if let Some(file) = &args.database_file {
        let text = fs::read_to_string(file).map_err(|error| {
            Failure::bad_input(error).hint(format!("--database-file {} has to be readable", file.display()))
        })?;
        return Ok(text.trim().into());
    }
    let url = args.database.as_deref().unwrap_or("sqlite:///var/lib/multinic/api.db");
    Ok(url.into())
}

fn open(database: &DatabaseSettings) -> Result<Store, Failure> {
    Store::new(database, store::Registration::Automatic).map_err(explain)
}

fn explain(error: StoreError) -> Failure {
    let hint = match &error {
        StoreError::Address { .. } => {
            return Failure::bad_input(error).hint("expected sqlite://FILE or postgres://USER@HOST/NAME");
        }
        StoreError::Unavailable(_) => {
            "check that the database runs and that the folder of SQLite's file can be written"
        }
        StoreError::Migrate(_) => "an older program cannot use the database of a newer one",
        _ => return Failure::failed(error),
    };
    Failure::failed(error).hint(hint)
}

fn tls(args: TlsArgs) -> Result<Option<TlsFiles>, Failure> {
    let (Some(certificate), Some(key)) = (args.tls_cert, args.tls_key) else {
        return Ok(None);
    };
    let client_auth = match args.client_auth {
        ClientAuth::Optional => tls::ClientAuth::Optional,
        ClientAuth::Required => tls::ClientAuth::Required,
    };
    if client_auth == tls::ClientAuth::Required && args.client_ca.is_none() {
        return Err(Failure::bad_input("--client-auth required needs --client-ca"));
    }
    Ok(Some(TlsFiles {
        certificate,
        key,
        client_ca: args.client_ca,
        client_auth,
    }))
}

const fn registration(registration: Registration) -> store::Registration {
    match registration {
        Registration::Automatic => store::Registration::Automatic,
        Registration::Strict => store::Registration::Strict,
    }
}

//! `multinic operator`: one replica of the Kubernetes operator.

use std::{env, io, io::IsTerminal, process::ExitCode};

use multinic_operator::{
    Operator, client, host_name,
    observe::{DEFAULT_FILTER, TelemetryOptions, Traces},
    options::{LeaseOptions, Options},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{fmt::writer::BoxMakeWriter, util::SubscriberInitExt};

use crate::{
    cli::{LogFormat, OperatorArgs},
    failure::Failure,
    signals::stop_on_signals,
};

/// Runs until SIGTERM or SIGINT.
pub async fn run(args: OperatorArgs, verbose: u8, format: LogFormat) -> Result<ExitCode, Failure> {
    let traces = telemetry(&args, verbose, format)?;
    let ended = operate(args).await;
    // Sending the last traces blocks.
    tokio::task::spawn_blocking(move || traces.flush())
        .await
        .map_err(Failure::failed)?;
    ended
}

async fn operate(args: OperatorArgs) -> Result<ExitCode, Failure> {
    let config = client::find(args.kubeconfig.as_deref())
        .await
        .map_err(Failure::failed)?;
    let namespace = args.namespace.unwrap_or_else(|| config.default_namespace.clone());
    let options = Options {
        config_map: args.config_map,
        watch_namespace: args.watch_namespace,
        listen: args.listen.address(),
        election: (!args.no_leader_election).then_some(LeaseOptions {
            name: args.lease_name,
            ..LeaseOptions::default()
        }),
        ..Options::new(namespace, args.identity.unwrap_or_else(host_name))
    };
    let operator = Operator::new(config, options).await.map_err(Failure::failed)?;
    let shutdown = CancellationToken::new();
    stop_on_signals(shutdown.clone()).map_err(Failure::failed)?;
    operator.run(shutdown).await.map_err(Failure::failed)?;
    Ok(ExitCode::SUCCESS)
}

fn telemetry(args: &OperatorArgs, verbose: u8, format: LogFormat) -> Result<Traces, Failure> {
    let given = args.log.clone().or_else(|| env::var("RUST_LOG").ok());
    let options = TelemetryOptions {
        filter: given.filter(|filter| !filter.is_empty()).or_else(|| by_flag(verbose)),
        json: format == LogFormat::Json,
        ansi: io::stderr().is_terminal(),
        otlp_endpoint: args.otlp_endpoint.clone(),
        writer: BoxMakeWriter::new(io::stderr),
    };
    let (subscriber, traces) = options.build().map_err(Failure::bad_input)?;
    subscriber.try_init().map_err(Failure::failed)?;
    Ok(traces)
}

fn by_flag(verbose: u8) -> Option<String> {
    match verbose {
        0 => None,
        1 => Some(format!("{DEFAULT_FILTER},multinic=debug")),
        2 => Some("debug,hyper=info,hyper_util=info".to_owned()),
        _ => Some("trace".to_owned()),
    }
}

//! Log lines and, as an option, traces.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{ParseError, Targets},
    fmt::writer::BoxMakeWriter,
    layer::SubscriberExt,
};

/// What is said, and where to.
#[derive(Debug)]
pub struct TelemetryOptions {
    /// Directives as in `RUST_LOG`; `None`: [`DEFAULT_FILTER`].
    pub filter: Option<String>,
    /// One JSON object a line instead of text.
    pub json: bool,
    /// Colours.
    pub ansi: bool,
    /// Base address of an OTLP collector over HTTP, such as `http://collector:4318`; `None`: no traces.
    pub otlp_endpoint: Option<String>,
    /// Where log lines go.
    pub writer: BoxMakeWriter,
}

/// What we say ourselves, and what others warn of. The Kubernetes client's own line about a failed request, and the TLS
/// library's about a certificate, repeat ours.
pub const DEFAULT_FILTER: &str = "info,kube_client::client::builder=off,rustls_platform_verifier=off,kube_runtime=warn,openstack_sdk=warn,\
                                  openstack_sdk_core=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,opentelemetry=warn";

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `--log` or `RUST_LOG`.
    #[error("failed to accept the log filter {filter:?}: expected such as info,multinic_operator=debug")]
    Filter {
        /// As it was given.
        filter: String,
        /// What is wrong.
        source: ParseError,
    },
    /// `--otlp-endpoint`.
    #[error("failed to send traces to {endpoint:?}: expected such as http://collector:4318")]
    Endpoint {
        /// As it was given.
        endpoint: String,
        /// What is wrong.
        source: ExporterBuildError,
    },
}

/// The traces that are under way. Keep it, and [flush](Traces::flush) it at the end.
#[derive(Debug, Default)]
pub struct Traces(Option<SdkTracerProvider>);

/// Unsent traces are given up after this.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

impl TelemetryOptions {
    /// A subscriber for the binary to install, and the traces behind it.
    pub fn build(self) -> Result<(Box<dyn Subscriber + Send + Sync>, Traces), TelemetryError> {
        let asked = self.filter.as_deref().filter(|asked| !asked.is_empty());
        let filter = asked.unwrap_or(DEFAULT_FILTER);
        // RabbitMQ's client shows whole messages, which may hold somebody's token: only when it is asked for by name.
        let filter = EnvFilter::try_new(format!("lapin=off,{filter}")).map_err(|source| TelemetryError::Filter {
            filter: filter.to_owned(),
            source,
        })?;
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(self.ansi)
            .with_writer(self.writer);
        let lines = if self.json { lines.json().boxed() } else { lines.boxed() };
        let mut layers = vec![lines.with_filter(filter).boxed()];
        let mut traces = Traces::default();
        if let Some(endpoint) = self.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) {
            let provider = provider(endpoint)?;
            layers.push(layer(&provider));
            traces = Traces(Some(provider));
        }
        Ok((Box::new(Registry::default().with(layers)), traces))
    }
}

impl Traces {
    /// Sends what is left, and ends. It blocks, at most some seconds.
    pub fn flush(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(FLUSH_TIMEOUT)
        {
            tracing::warn!(%error, "failed to send the last traces");
        }
    }
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    const PATH: &str = "/v1/traces";
    let base = endpoint.trim_end_matches('/');
    let address = if base.ends_with(PATH) {
        base.to_owned()
    } else {
        format!("{base}{PATH}")
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(address)
        .build()
        .map_err(|source| TelemetryError::Endpoint {
            endpoint: endpoint.to_owned(),
            source,
        })?;
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder()
        .with_service_name("multinic-operator")
        .with_attribute(version);
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build())
}

/// Our own spans and no others: those of the HTTP clients would carry addresses, and the exporter's would beget more.
fn layer<S>(provider: &SdkTracerProvider) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("multinic-operator"))
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_target("multinic", LevelFilter::INFO))
        .boxed()
}

//! Numbers about the server, as OpenMetrics.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::delivery::Numbers;

/// Which requests: the route's pattern, never a path.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub method: String,
    pub route: String,
    pub status: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    pub route: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct ResultLabels {
    pub result: String,
}

/// Everything that is counted.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    pub requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    pub seconds: Family<RouteLabels, Histogram>,
    pub node_configs: Family<ResultLabels, Counter<u64, AtomicU64>>,
    pub watchers: Gauge<i64, AtomicI64>,
    pub deliveries: Numbers,
    pub handshakes: Family<ResultLabels, Counter<u64, AtomicU64>>,
    pub token_reviews: Family<ResultLabels, Counter<u64, AtomicU64>>,
    pub certificate_expiry: Gauge<i64, AtomicI64>,
    pub rejected_files: Gauge<i64, AtomicI64>,
}

fn histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("multinic_api");
        let requests = Family::<RequestLabels, Counter<u64, AtomicU64>>::default();
        let seconds = Family::<RouteLabels, Histogram>::new_with_constructor(histogram as fn() -> Histogram);
        let node_configs = Family::<ResultLabels, Counter<u64, AtomicU64>>::default();
        let watchers = Gauge::<i64, AtomicI64>::default();
        registry.register("requests", "Requests answered", requests.clone());
        let help = "Time until a request was answered";
        registry.register_with_unit("request_duration", help, Unit::Seconds, seconds.clone());
        registry.register(
            "node_configs",
            "Node configs received, by what became of them",
            node_configs.clone(),
        );
        registry.register("watchers", "Open watches", watchers.clone());
        let deliveries = Numbers::default();
        deliveries.register(&mut registry);
        let handshakes = Family::<ResultLabels, Counter<u64, AtomicU64>>::default();
        registry.register(
            "tls_handshakes",
            "TLS handshakes, by how they ended",
            handshakes.clone(),
        );
        let token_reviews = Family::<ResultLabels, Counter<u64, AtomicU64>>::default();
        let help = "Reviews of Kubernetes' tokens, by what came of them";
        registry.register("token_reviews", help, token_reviews.clone());
        let certificate_expiry = Gauge::<i64, AtomicI64>::default();
        let help = "When the server's certificate expires, in seconds since 1970; 0 without TLS";
        registry.register("tls_certificate_not_after_seconds", help, certificate_expiry.clone());
        let rejected_files = Gauge::<i64, AtomicI64>::default();
        let help = "1 while tokens or certificates on disk cannot be used and earlier ones are in force";
        registry.register("rejected_files", help, rejected_files.clone());
        Self {
            registry: Arc::new(registry),
            requests,
            seconds,
            node_configs,
            watchers,
            deliveries,
            handshakes,
            token_reviews,
            certificate_expiry,
            rejected_files,
        }
    }

    /// The page.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The page of a server that has counted everything once; documents are held against it.
pub fn sample() -> Result<String, std::fmt::Error> {
    let metrics = Metrics::new();
    let result = || ResultLabels { result: String::new() };
    let request = RequestLabels {
        method: String::new(),
        route: String::new(),
        status: 200,
    };
    metrics.requests.get_or_create(&request).inc();
    let route = RouteLabels { route: String::new() };
    metrics.seconds.get_or_create(&route).observe(0.0);
    for family in [&metrics.node_configs, &metrics.handshakes, &metrics.token_reviews] {
        family.get_or_create(&result()).inc();
    }
    metrics.deliveries.count("written");
    metrics.text()
}

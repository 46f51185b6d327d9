//! Probes, metrics, logs and traces, and a whole replica, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod edge;

use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use edge::{NAMESPACE, PATIENCE, config_of, lab, put_secret, put_settings, settings, until};
use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_operator::{
    Operator, OperatorError, Options,
    observe::{Heartbeat, Listener, Metrics, Pages, TelemetryOptions},
};
use multinic_testing::server::{Reply, Server};
use serde_json::json;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

async fn page(address: SocketAddr, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn readiness_says_what_is_missing_and_metrics_have_their_type() {
    let is_ready = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_ready);
    let pages = Pages {
        metrics: Metrics::default(),
        heartbeat: Heartbeat::default(),
        ready: Arc::new(move || {
            if asked.load(Ordering::SeqCst) {
                Ok(())
            } else {
                Err("the settings have not been read yet")
            }
        }),
    };
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (address, shutdown) = (listener.address().unwrap(), CancellationToken::new());
    let server = tokio::spawn(listener.serve(pages, shutdown.clone()));

    let not_ready = (503, "not ready: the settings have not been read yet\n".to_owned());
    assert_eq!(page(address, "/readyz").await, not_ready);
    is_ready.store(true, Ordering::SeqCst);
    assert_eq!(page(address, "/readyz").await, (200, "ok\n".to_owned()));
    assert_eq!(page(address, "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(page(address, "/").await.0, 404);
    let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    let kind = metrics.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );

    let taken = Listener::bind(address).await.unwrap_err().to_string();
    assert!(
        taken.contains(&address.to_string()) && taken.contains("--listen"),
        "{taken}"
    );
    shutdown.cancel();
    timeout(PATIENCE, server).await.unwrap().unwrap();
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn telemetry(lines: &Lines, otlp_endpoint: Option<String>) -> TelemetryOptions {
    let lines = lines.clone();
    TelemetryOptions {
        filter: None,
        json: true,
        ansi: false,
        otlp_endpoint,
        writer: BoxMakeWriter::new(move || lines.clone()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_spans_reach_the_collector_and_those_of_others_do_not() {
    let collector = Server::answering(|_| Reply::status(200).header("content-type", "application/x-protobuf")).await;
    let lines = Lines::default();
    let (subscriber, traces) = telemetry(&lines, Some(collector.url().to_string())).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let pass = tracing::info_span!(target: "multinic_operator::pass", "pass", cluster = "cluster-7");
        pass.in_scope(|| {
            let _read = tracing::info_span!(target: "multinic_operator::pass", "read").entered();
            tracing::info!(target: "multinic_operator::pass", nodes = 3, "a line");
        });
        let _other = tracing::info_span!(target: "hyper::client", "foreign-span").entered();
    });
    tokio::task::spawn_blocking(move || traces.flush()).await.unwrap();

    let requests = collector.requests();
    assert_eq!(collector.lines(), vec!["POST /v1/traces"; requests.len()]);
    let body: Vec<u8> = requests.into_iter().flat_map(|request| request.body).collect();
    let body = String::from_utf8_lossy(&body);
    for part in ["multinic-operator", "pass", "read", "cluster-7"] {
        assert!(body.contains(part), "{part} is missing in {body:?}");
    }
    assert!(!body.contains("foreign-span"), "{body:?}");

    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(line["fields"]["message"], "a line");
    assert_eq!(line["spans"][0]["cluster"], "cluster-7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nobody_up() {
    let (subscriber, traces) = telemetry(&Lines::default(), Some("http://127.0.0.1:9".to_owned()))
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        drop(tracing::info_span!(target: "multinic_operator::pass", "pass").entered());
    });
    let flush = tokio::task::spawn_blocking(move || traces.flush());
    timeout(PATIENCE, flush).await.unwrap().unwrap();
}

#[test]
fn a_bad_filter_or_collector_is_an_error_that_says_what_is_expected() {
    let mut options = telemetry(&Lines::default(), None);
    options.filter = Some("multinic=loud".to_owned());
    let error = options.build().err().unwrap().to_string();
    assert!(
        error.contains("multinic=loud") && error.contains("such as info"),
        "{error}"
    );
    let error = telemetry(&Lines::default(), Some("collector 4318".to_owned())).build();
    let error = error.err().unwrap().to_string();
    assert!(error.contains("such as http://collector:4318"), "{error}");
}

struct Running {
    address: SocketAddr,
    leads: tokio::sync::watch::Receiver<bool>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), OperatorError>>,
}

async fn start(lab: &KubernetesLab, user: &str) -> Running {
    let options = Options {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        ..Options::new(NAMESPACE, user)
    };
    let operator = Operator::new(config_of(lab, user).await, options).await.unwrap();
    let (address, leads) = (operator.address().unwrap(), operator.leads());
    let shutdown = CancellationToken::new();
    Running {
        address,
        leads,
        shutdown: shutdown.clone(),
        task: tokio::spawn(operator.run(shutdown)),
    }
}

impl Running {
    async fn is_ready(&self) {
        let ready = async {
            while page(self.address, "/readyz").await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap();
    }
}

fn crd() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/crds/openstackconfigs.multinic.example.com.yaml"
    );
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn two_replicas_in_one_process_hand_over_and_both_end_in_order() {
    let lab = lab().await;
    lab.apply_yaml(&crd()).unwrap();
    put_secret(&lab, "contrabass", "encryptionKey", "eA==");
    put_settings(&lab, &settings("5m"));

    let mut a = start(&lab, "a").await;
    until(&mut a.leads, |leads| *leads).await;
    let mut b = start(&lab, "b").await;
    a.is_ready().await;
    b.is_ready().await;
    assert!(page(a.address, "/metrics").await.1.contains("multinic_leader 1\n"));
    assert!(page(b.address, "/metrics").await.1.contains("multinic_leader 0\n"));
    assert!(
        page(b.address, "/metrics")
            .await
            .1
            .contains("multinic_settings_generation 1\n")
    );

    a.shutdown.cancel();
    timeout(PATIENCE, a.task).await.unwrap().unwrap().unwrap();
    assert!(reqwest::get(format!("http://{}/healthz", a.address)).await.is_err());
    until(&mut b.leads, |leads| *leads).await;
    assert_eq!(page(b.address, "/healthz").await.0, 200);
    b.shutdown.cancel();
    timeout(PATIENCE, b.task).await.unwrap().unwrap().unwrap();
    let lease = lab
        .get("leases.coordination.k8s.io", NAMESPACE, "multinic-operator")
        .unwrap()
        .unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "");
}

#[tokio::test]
async fn without_settings_a_replica_is_ready_and_says_what_is_missing() {
    let lab = lab().await;
    lab.apply_yaml(&crd()).unwrap();
    let mut a = start(&lab, "a").await;
    until(&mut a.leads, |leads| *leads).await;
    a.is_ready().await;
    assert!(
        page(a.address, "/metrics")
            .await
            .1
            .contains("multinic_settings_rejected 1\n")
    );
    let said = timeout(PATIENCE, async {
        loop {
            match &edge::events(&lab)[..] {
                [(reason, note)] => break format!("{reason}: {note}"),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    });
    let said = said.await.unwrap();
    assert!(said.starts_with("SettingsMissing: there is no ConfigMap"), "{said}");
    a.shutdown.cancel();
    timeout(PATIENCE, a.task).await.unwrap().unwrap().unwrap();
}

/// A whole cloud, the seed's OpenstackConfig, and what `/metrics` says after the first pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_shows_in_the_metrics() {
    let (cloud, receiver) = (Lab::start(CloudBuilder::seed()).unwrap(), Receiver::start().unwrap());
    let lab = lab().await;
    lab.apply_yaml(&crd()).unwrap();
    lab.apply(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "contrabass", "namespace": NAMESPACE},
        "stringData": {"encryptionKey": DEMO_ENCRYPTION_KEY},
    }))
    .unwrap();
    put_settings(
        &lab,
        &format!(
            "contrabass:\n  endpoint: {}\n  password: {{key: {{secret: contrabass, key: encryptionKey}}}}\n\
             managementApi: {{endpoint: '{}'}}\n",
            cloud.contrabass_url(),
            receiver.url()
        ),
    );
    lab.apply_yaml(include_str!("../../../deploy/samples/openstackconfig.yaml"))
        .unwrap();
    let a = start(&lab, "a").await;
    let lines = [
        "multinic_configs_ready 1",
        "multinic_passes_total{outcome=\"complete\"} ",
        "multinic_node_configs_delivered_total{result=\"changed\"} ",
        "multinic_openstack_api_requests_total{service=\"keystone\",status=\"2xx\"} ",
        "multinic_openstack_api_requests_total{service=\"nova\",status=\"2xx\"} ",
        "multinic_openstack_api_requests_total{service=\"neutron\",status=\"2xx\"} ",
        "multinic_contrabass_requests_total{status=\"2xx\"} ",
        "multinic_management_api_requests_total{status=\"2xx\"} ",
        "multinic_cluster_sync_age_seconds{cluster=\"",
        "multinic_openstack_budget_waits_total ",
        "multinic_openstack_budget_wait_seconds_total ",
    ];
    let shown = async {
        loop {
            let text = page(a.address, "/metrics").await.1;
            let missing: Vec<_> = lines.iter().filter(|line| !text.contains(**line)).collect();
            if missing.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = timeout(PATIENCE, shown).await.is_ok();
    assert!(seen, "{}", page(a.address, "/metrics").await.1);
    a.shutdown.cancel();
    timeout(PATIENCE, a.task).await.unwrap().unwrap().unwrap();
}

//! The pod: arguments, ports, probes, and what it may do on its node.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use multinic_operator::{Operator, Options, options::OperatorPace};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, NAME, NAMESPACE, multinic, texts};

#[tokio::test]
async fn the_program_takes_the_pod_s_arguments_and_environment() {
    let cluster = Cluster::installed().await;
    let container = cluster.container();
    let arguments = texts(&container["args"]);
    let mut line: Vec<&str> = arguments.iter().map(String::as_str).collect();
    line.extend(["--kubeconfig", "/nonexistent"]);
    let (code, said) = multinic(&line);
    assert!(
        code == 1 && said.contains("/nonexistent"),
        "not a matter of usage: {code} {said}"
    );

    let (_, help) = multinic(&["operator", "--help"]);
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        assert!(help.contains(&format!("[env: {name}=]")), "{name} is not in\n{help}");
    }
}

#[tokio::test]
async fn ports_are_those_that_the_program_listens_on() {
    let cluster = Cluster::installed().await;
    let container = cluster.container();
    let port = &container["ports"][0];
    let (_, help) = multinic(&["operator", "--help"]);
    assert!(
        help.contains(&format!("[default: 0.0.0.0:{}]", port["containerPort"])),
        "{help}"
    );
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], port["name"], "{probe}");
    }
    let service = cluster.get("services", NAME);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    let annotations = &cluster.deployment()["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["prometheus.io/port"], port["containerPort"].to_string());
}

#[tokio::test]
async fn probes_and_metrics_are_answered() {
    let cluster = Cluster::installed().await;
    let container = cluster.container();
    let kubeconfig = Kubeconfig::from_yaml(&cluster.lab.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    let options = Options {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Options::new(NAMESPACE, "pod")
    };
    let operator = Operator::new(config, options).await.unwrap();
    let (address, mut leads) = (operator.address().unwrap(), operator.leads());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(operator.run(shutdown.clone()));
    leads.wait_for(|leads| *leads).await.unwrap();
    for probe in ["livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().unwrap();
        // A pod becomes ready after its caches are filled.
        while status(address, path).await != 200 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(status(address, "/metrics").await, 200);
    assert_eq!(status(address, "/").await, 404);
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

/// The status of a GET.
async fn status(address: SocketAddr, path: &str) -> u16 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n");
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_pod_is_a_restricted_one() {
    let cluster = Cluster::installed().await;
    let namespace = cluster.lab.get("namespaces", "", NAMESPACE).unwrap().unwrap();
    let level = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(level, "restricted");

    let pod = cluster.deployment()["spec"]["template"]["spec"].clone();
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_ne!(pod["securityContext"]["runAsUser"], 0);
    assert_eq!(
        pod["securityContext"]["seccompProfile"],
        json!({"type": "RuntimeDefault"})
    );
    for forbidden in ["hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers"] {
        assert!(pod[forbidden].is_null(), "{forbidden}");
    }
    let container = cluster.container();
    let expected = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(container["securityContext"], expected);
    for bounded in [
        "/resources/requests/cpu",
        "/resources/requests/memory",
        "/resources/limits/memory",
    ] {
        assert!(container.pointer(bounded).is_some(), "{bounded}");
    }
    assert_eq!(pod["serviceAccountName"], NAME);
}

#[tokio::test]
async fn the_image_has_the_version_of_the_program_and_the_pod_has_time_to_end() {
    let cluster = Cluster::installed().await;
    let image = concat!("multinic:", env!("CARGO_PKG_VERSION"));
    assert_eq!(cluster.container()["image"], image);
    let pod = &cluster.deployment()["spec"]["template"]["spec"];
    let given = Duration::from_secs(pod["terminationGracePeriodSeconds"].as_u64().unwrap());
    assert!(
        given > OperatorPace::default().grace + Duration::from_secs(5),
        "{given:?}"
    );
}

#[tokio::test]
async fn the_image_is_built_with_our_rust_and_runs_as_the_pod_s_user() {
    let pod = Cluster::installed().await.deployment()["spec"]["template"]["spec"].clone();
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Dockerfile")).unwrap();
    let context = &pod["securityContext"];
    for line in [
        format!("FROM rust:{}-alpine AS build", env!("CARGO_PKG_RUST_VERSION")),
        format!("USER {}:{}", context["runAsUser"], context["runAsGroup"]),
    ] {
        assert!(file.lines().any(|found| found == line), "{line}");
    }
}

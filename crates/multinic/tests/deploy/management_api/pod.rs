//! The pod: what it may do on its node, and that both variants' are one but for the database.

use serde_json::{Value, json};

use super::{NAME, VARIANTS, installed};
use crate::cluster::{container, multinic, texts};

async fn pod(variant: &str) -> Value {
    installed(variant).await.get("deployments.apps", NAME)["spec"]["template"]["spec"].clone()
}

#[tokio::test]
async fn the_pod_is_a_restricted_one() {
    for variant in VARIANTS {
        let deployment = installed(variant).await.get("deployments.apps", NAME);
        let pod = &deployment["spec"]["template"]["spec"];
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"], true);
        assert_eq!(context["seccompProfile"], json!({"type": "RuntimeDefault"}));
        assert_eq!(context["fsGroup"], context["runAsGroup"], "the volume is its group's");
        for forbidden in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
            assert!(pod[forbidden].is_null(), "{forbidden}");
        }
        let container = container(&deployment);
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
        for mount in container["volumeMounts"].as_array().unwrap() {
            let written = variant == "sqlite" && mount["name"] == "database";
            assert_eq!(mount["readOnly"] != true, written, "{mount}");
        }
        assert_eq!(pod["serviceAccountName"], NAME);
    }
}

#[tokio::test]
async fn the_variants_differ_in_the_database_and_in_where_the_replicas_run_only() {
    let shared = |mut pod: Value| {
        for spread in ["affinity", "topologySpreadConstraints"] {
            pod.as_object_mut().unwrap().remove(spread);
        }
        let arguments = texts(&pod["containers"][0]["args"]);
        let others = arguments
            .into_iter()
            .filter(|argument| !argument.starts_with("--database"));
        pod["containers"][0]["args"] = others.collect();
        for list in ["/containers/0/volumeMounts", "/volumes"] {
            let list = pod.pointer_mut(list).unwrap().as_array_mut().unwrap();
            list.retain(|volume| volume["name"] != "database");
        }
        pod
    };
    assert_eq!(shared(pod("sqlite").await), shared(pod("postgresql").await));
}

#[tokio::test]
async fn ports_are_those_that_are_listened_on() {
    let cluster = installed("sqlite").await;
    let deployment = cluster.get("deployments.apps", NAME);
    let container = container(&deployment);
    let port = &container["ports"][0];
    let listen = format!("--listen=0.0.0.0:{}", port["containerPort"]);
    assert!(texts(&container["args"]).contains(&listen), "{listen}");
    for probe in ["livenessProbe", "readinessProbe"] {
        let get = &container[probe]["httpGet"];
        assert_eq!(
            (&get["port"], &get["scheme"]),
            (&port["name"], &json!("HTTPS")),
            "{probe}"
        );
    }
    let service = cluster.get("services", NAME);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["prometheus.io/port"], port["containerPort"].to_string());
}

#[tokio::test]
async fn the_image_and_its_user_are_the_operator_s() {
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Dockerfile")).unwrap();
    for variant in VARIANTS {
        let pod = pod(variant).await;
        assert_eq!(
            pod["containers"][0]["image"],
            concat!("multinic:", env!("CARGO_PKG_VERSION"))
        );
        let context = &pod["securityContext"];
        let user = format!("USER {}:{}", context["runAsUser"], context["runAsGroup"]);
        assert!(file.lines().any(|line| line == user), "{user}");
    }
}

#[tokio::test]
async fn sqlite_s_volume_is_where_the_program_keeps_its_database_by_default() {
    let pod = pod("sqlite").await;
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["name"] == "database").unwrap();
    let (_, help) = multinic(&["api", "--help"]);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let default = format!("[default: sqlite://{}/api.db]", mount["mountPath"].as_str().unwrap());
    assert!(help.contains(&default), "{default} is not in\n{help}");
}

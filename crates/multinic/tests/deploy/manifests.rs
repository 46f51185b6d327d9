//! What is there after `kubectl apply -k deploy`.

use multinic_operator::{Options, departures};
use multinic_sync::settings::Settings;
use serde_json::{Value, json};

use crate::cluster::{Cluster, NAME, NAMESPACE};

#[tokio::test]
async fn everything_is_there_and_a_second_apply_changes_nothing() {
    let cluster = Cluster::installed().await;
    for (resource, namespace, name) in [
        ("namespaces", "", NAMESPACE),
        (
            "customresourcedefinitions.apiextensions.k8s.io",
            "",
            "openstackconfigs.multinic.example.com",
        ),
        ("clusterroles.rbac.authorization.k8s.io", "", NAME),
        ("clusterrolebindings.rbac.authorization.k8s.io", "", NAME),
        ("serviceaccounts", NAMESPACE, NAME),
        ("roles.rbac.authorization.k8s.io", NAMESPACE, NAME),
        ("rolebindings.rbac.authorization.k8s.io", NAMESPACE, NAME),
        ("configmaps", NAMESPACE, "multinic-operator-config"),
        ("deployments.apps", NAMESPACE, NAME),
        ("services", NAMESPACE, NAME),
        ("poddisruptionbudgets.policy", NAMESPACE, NAME),
    ] {
        let found = cluster.lab.get(resource, namespace, name).unwrap();
        assert!(found.is_some(), "{resource} {name}");
    }
    let before = cluster.lab.revision();
    let again = cluster.kubectl(&["apply", "-k", "deploy"]).await;
    assert_eq!(again.lines().count(), 11, "{again}");
    assert_eq!(cluster.lab.revision(), before, "{again}");
}

#[tokio::test]
async fn the_sample_applies_and_so_does_everything_a_second_time_from_the_server_s_side() {
    let cluster = Cluster::installed().await;
    let sample = cluster
        .kubectl(&["apply", "-f", "deploy/samples/openstackconfig.yaml"])
        .await;
    assert!(sample.contains("created"), "{sample}");
    let both = "deploy/crds/multinicnodeconfigs.multinic.io.yaml";
    cluster.kubectl(&["apply", "--server-side", "-f", both]).await;
}

#[tokio::test]
async fn names_are_those_that_the_program_looks_for() {
    let cluster = Cluster::installed().await;
    let options = Options::new(NAMESPACE, "pod");
    let config = cluster.get("configmaps", &options.config_map);
    Settings::parse(config["data"]["config.yaml"].as_str().unwrap()).unwrap();

    let role = cluster.get("roles.rbac.authorization.k8s.io", NAME);
    let rules = role["rules"].as_array().unwrap();
    let named: Vec<&Value> = rules.iter().map(|rule| &rule["resourceNames"]).collect();
    let lease = options.election.unwrap().name;
    for name in [options.config_map.as_str(), departures::CONFIG_MAP, &lease] {
        assert!(named.contains(&&json!([name])), "{name} is not among {named:?}");
    }
}

#[tokio::test]
async fn selectors_select_the_pods() {
    let cluster = Cluster::installed().await;
    let deployment = cluster.deployment();
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&cluster.get("services", NAME)["spec"]["selector"], labels);
    let budget = cluster.get("poddisruptionbudgets.policy", NAME);
    assert_eq!(&budget["spec"]["selector"]["matchLabels"], labels);
    let replicas = deployment["spec"]["replicas"].as_u64().unwrap();
    assert!(
        budget["spec"]["minAvailable"].as_u64().unwrap() < replicas,
        "a drain must be possible"
    );
}

//! What is there after `kubectl apply -k deploy/management-api/…`, and how it fits the operator.

use multinic_sync::settings::Settings;
use serde_json::{Value, json};

use super::{NAME, VARIANTS, folder, installed, names};
use crate::cluster::{Cluster, NAME as OPERATOR, NAMESPACE};

#[tokio::test]
async fn each_variant_is_complete_and_a_second_apply_changes_nothing() {
    for (variant, more) in [
        ("sqlite", &[("persistentvolumeclaims", NAME)][..]),
        (
            "postgresql",
            &[
                ("poddisruptionbudgets.policy", NAME),
                ("networkpolicies.networking.k8s.io", "multinic-management-api-database"),
            ],
        ),
    ] {
        let cluster = installed(variant).await;
        let both = [
            ("serviceaccounts", NAME),
            ("configmaps", NAME),
            ("services", NAME),
            ("networkpolicies.networking.k8s.io", NAME),
            ("deployments.apps", NAME),
        ];
        for (resource, name) in both.iter().chain(more) {
            assert!(
                names(&cluster, resource).contains(&(*name).to_owned()),
                "{variant}: {resource} {name}"
            );
        }
        let before = cluster.lab.revision();
        let again = cluster.kubectl(&["apply", "-k", &folder(variant)]).await;
        assert_eq!(again.lines().count(), both.len() + more.len(), "{variant}: {again}");
        assert_eq!(cluster.lab.revision(), before, "{variant}: {again}");
        cluster
            .kubectl(&["apply", "--server-side", "--force-conflicts", "-k", &folder(variant)])
            .await;
    }
}

#[tokio::test]
async fn one_variant_takes_the_place_of_the_other() {
    let cluster = installed("sqlite").await;
    cluster.kubectl(&["apply", "-k", &folder("postgresql")]).await;
    let fresh = installed("postgresql").await;
    let spec = |cluster: &Cluster| cluster.get("deployments.apps", NAME)["spec"].clone();
    assert_eq!(spec(&cluster), spec(&fresh));
}

#[tokio::test]
async fn deploy_installs_the_operator_only_and_the_two_live_in_one_namespace() {
    let cluster = Cluster::installed().await;
    assert!(names(&cluster, "deployments.apps") == [OPERATOR]);
    cluster.kubectl(&["apply", "-k", &folder("sqlite")]).await;
    assert_eq!(names(&cluster, "deployments.apps"), [NAME, OPERATOR]);
    let before = cluster.lab.revision();
    cluster.kubectl(&["apply", "-k", "deploy"]).await;
    assert_eq!(cluster.lab.revision(), before);
}

#[tokio::test]
async fn selectors_select_the_pods() {
    for variant in VARIANTS {
        let cluster = installed(variant).await;
        let deployment = cluster.get("deployments.apps", NAME);
        let template = &deployment["spec"]["template"];
        let labels = &template["metadata"]["labels"];
        assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
        assert_eq!(&cluster.get("services", NAME)["spec"]["selector"], labels);
        for policy in names(&cluster, "networkpolicies.networking.k8s.io") {
            let policy = cluster.get("networkpolicies.networking.k8s.io", &policy);
            assert_eq!(&policy["spec"]["podSelector"]["matchLabels"], labels);
        }
        if variant == "postgresql" {
            let budget = cluster.get("poddisruptionbudgets.policy", NAME);
            assert_eq!(&budget["spec"]["selector"]["matchLabels"], labels);
            let replicas = deployment["spec"]["replicas"].as_u64().unwrap();
            assert!(
                budget["spec"]["minAvailable"].as_u64().unwrap() < replicas,
                "a drain must be possible"
            );
            for pointer in [
                "/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm/labelSelector",
                "/spec/topologySpreadConstraints/0/labelSelector",
            ] {
                assert_eq!(&template.pointer(pointer).unwrap()["matchLabels"], labels, "{pointer}");
            }
        }
    }
}

#[tokio::test]
async fn the_operator_finds_it_with_a_token_that_it_knows_and_the_network_lets_it() {
    let cluster = Cluster::installed().await;
    cluster.kubectl(&["apply", "-k", &folder("sqlite")]).await;
    let config = cluster.get("configmaps", "multinic-operator-config");
    let text = config["data"]["config.yaml"].as_str().unwrap();
    Settings::parse(text).unwrap();
    let settings: Value = serde_saphyr::from_str(text).unwrap();
    let service = cluster.get("services", NAME);
    let port = &service["spec"]["ports"][0];
    assert_eq!(
        settings["managementApi"]["endpoint"],
        format!("https://{NAME}:{}", port["port"])
    );

    let deployment = cluster.get("deployments.apps", NAME);
    let pod = &deployment["spec"]["template"]["spec"];
    let volumes = pod["volumes"].as_array().unwrap();
    let tokens = volumes.iter().find(|volume| volume["name"] == "tokens").unwrap();
    let sources = &tokens["projected"]["sources"];
    let secret = &sources[1]["secret"];
    let named = json!({"secret": secret["name"], "key": secret["items"][0]["key"]});
    assert_eq!(settings["managementApi"]["token"], named);
    let trusted = json!({"caSecret": {"secret": secret["name"], "key": "ca.crt"}});
    assert_eq!(settings["managementApi"]["tls"], trusted);

    let policy = cluster.get("networkpolicies.networking.k8s.io", NAME);
    let ingress = &policy["spec"]["ingress"][0];
    assert_eq!(
        ingress["from"][0]["podSelector"]["matchLabels"],
        cluster.deployment()["spec"]["template"]["metadata"]["labels"]
    );
    assert_eq!(ingress["ports"][0]["port"], port["targetPort"]);
}

#[tokio::test]
async fn sqlite_has_one_writer_on_one_volume_and_postgresql_has_replicas() {
    let cluster = installed("sqlite").await;
    let deployment = cluster.get("deployments.apps", NAME);
    assert_eq!(deployment["spec"]["replicas"], 1);
    assert_eq!(deployment["spec"]["strategy"], json!({"type": "Recreate"}));
    let claim = cluster.get("persistentvolumeclaims", NAME);
    assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteOnce"]));

    let deployment = installed("postgresql").await.get("deployments.apps", NAME);
    assert!(deployment["spec"]["replicas"].as_u64().unwrap() > 1);
    assert_eq!(deployment["metadata"]["namespace"], NAMESPACE);
}

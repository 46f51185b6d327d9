//! Delivery with the account of deploy/management-api/cluster: what it may do is exactly what it does.

use std::collections::BTreeSet;

use multinic_lab_kubernetes::{KubernetesLab, LoggedRequest};
use serde_json::{Value, json};

use super::{
    NAME, installed,
    process::{NODES, Pod, TOKEN, installation_secrets, secret},
};
use crate::cluster::{Cluster, NAMESPACE, texts};

const ACCOUNT: &str = "system:serviceaccount:multinic-system:multinic-management-api";
const ACCOUNT_TOKEN: &str = "the-token-of-the-account-in-the-workload-cluster";
const CLUSTER: &str = "biz-1";
const OBJECTS: &str = "multinicnodeconfigs";

/// A workload cluster with deploy/management-api/cluster, whose controllers have made the account's token.
async fn workload() -> Cluster {
    let lab = KubernetesLab::builder().user(ACCOUNT, ACCOUNT_TOKEN).start();
    let cluster = Cluster::of(lab.await.unwrap());
    cluster.kubectl(&["apply", "-k", "deploy/management-api/cluster"]).await;
    let annotations = &cluster.get("secrets", NAME)["metadata"]["annotations"];
    assert_eq!(annotations["kubernetes.io/service-account.name"], NAME);
    secret(&cluster, NAME, "token", ACCOUNT_TOKEN);
    cluster
}

/// One `verb resource.group namespace/name` for each thing that is permitted, `*` for any name.
fn permitted(cluster: &Cluster) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (kind, namespace) in [("clusterroles", ""), ("roles", NAMESPACE)] {
        let roles = cluster
            .lab
            .list(&format!("{kind}.rbac.authorization.k8s.io"), None)
            .unwrap();
        let bindings = format!("{}bindings.rbac.authorization.k8s.io", kind.trim_end_matches('s'));
        let bindings = cluster.lab.list(&bindings, None).unwrap();
        assert_eq!((roles.len(), bindings.len()), (1, 1));
        assert_eq!(bindings[0]["roleRef"]["name"], roles[0]["metadata"]["name"]);
        let account = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]);
        assert_eq!(bindings[0]["subjects"], account);
        let listed = roles[0]["rules"].as_array().unwrap();
        all.extend(listed.iter().flat_map(|rule| of_rule(rule, namespace)));
    }
    all
}

fn of_rule(rule: &Value, namespace: &str) -> Vec<String> {
    let [groups, resources, verbs] = ["apiGroups", "resources", "verbs"].map(|field| texts(&rule[field]));
    assert_eq!((groups.len(), resources.len()), (1, 1), "{rule}");
    let mut names = texts(&rule["resourceNames"]);
    if names.is_empty() {
        names.push("*".to_owned());
    }
    let of_verb = |verb: String| {
        let thing = format!("{verb} {}.{} {namespace}/", resources[0], groups[0]);
        names
            .iter()
            .map(move |name| format!("{thing}{name}"))
            .collect::<Vec<_>>()
    };
    verbs.into_iter().flat_map(of_verb).collect()
}

/// The same of the requests that were made. Names of nodes are the users' choice.
fn used(requests: &[LoggedRequest]) -> BTreeSet<String> {
    let by_account = requests.iter().filter(|request| request.user == ACCOUNT);
    let of_request = |request: &LoggedRequest| {
        assert!(request.status != 403 && request.subresource.is_empty(), "{request:?}");
        let name = if request.resource == OBJECTS {
            "*"
        } else {
            &request.name
        };
        // A Namespace is its own namespace to the server.
        let namespace = if request.resource == OBJECTS {
            request.namespace.as_str()
        } else {
            ""
        };
        let thing = format!("{}.{} {namespace}/{name}", request.resource, request.group);
        request
            .verbs()
            .into_iter()
            .map(|verb| format!("{verb} {thing}"))
            .collect::<Vec<_>>()
    };
    by_account.flat_map(of_request).collect()
}

async fn object(cluster: &Cluster, holds: impl Fn(Option<&Value>) -> bool) {
    let definitions = "customresourcedefinitions.apiextensions.k8s.io";
    let definition = format!("{OBJECTS}.multinic.io");
    cluster
        .lab
        .until(definitions, "", &definition, |found| found.is_some())
        .await
        .unwrap();
    cluster
        .lab
        .until(&definition, NAMESPACE, "worker-1", holds)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_may_do_what_delivery_does_and_nothing_else() {
    let workload = workload().await;
    let kubeconfig = workload.run("deploy/management-api/kubeconfig.sh", &[]).await;
    let management = installed("sqlite").await;
    installation_secrets(&management);
    secret(&management, "multinic-kubeconfigs", CLUSTER, &kubeconfig);
    let pod = Pod::start(&management);
    for mtu in [1400, 1500] {
        let body = json!([{"nodeName": "worker-1", "instanceId": "i-1", "interfaces": [
            {"id": 1, "macAddress": "fa:16:3e:00:00:01", "address": "10.0.0.5", "cidr": "10.0.0.0/24", "mtu": mtu}]}]);
        let (status, answer) = pod.ask("POST", NODES, TOKEN, &body.to_string());
        assert_eq!(status, 200, "{answer}");
        let has = |found: Option<&Value>| found.is_some_and(|found| found["spec"]["interfaces"][0]["mtu"] == mtu);
        object(&workload, has).await;
    }
    assert_eq!(pod.ask("DELETE", &format!("{NODES}/worker-1"), TOKEN, "").0, 204);
    let deleted = |requests: &[LoggedRequest]| requests.iter().any(|request| request.verb == "delete");
    workload.lab.until_requests(deleted).await;
    let watched = |requests: &[LoggedRequest]| requests.iter().any(|request| request.verb == "watch");
    workload.lab.until_requests(watched).await;
    object(&workload, |found| found.is_none()).await;
    assert_eq!(used(&workload.lab.requests()), permitted(&workload));
}

#[tokio::test]
async fn a_kubeconfig_without_a_token_is_not_made() {
    let lab = KubernetesLab::builder().start().await.unwrap();
    let cluster = Cluster::of(lab);
    cluster.kubectl(&["apply", "-k", "deploy/management-api/cluster"]).await;
    let (ok, said) = cluster.try_run("deploy/management-api/kubeconfig.sh", &[]).await;
    assert!(!ok && said.contains("has no token yet"), "{said}");
}

#[tokio::test]
async fn in_the_management_s_own_cluster_the_permissions_alone_are_enough() {
    let cluster = installed("sqlite").await;
    cluster
        .kubectl(&["apply", "-k", "deploy/management-api/permissions"])
        .await;
    assert_eq!(permitted(&cluster), permitted(&workload().await));
    let namespace = cluster.lab.get("namespaces", "", NAMESPACE).unwrap().unwrap();
    assert_eq!(
        namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "restricted"
    );
}

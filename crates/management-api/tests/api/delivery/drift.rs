//! What somebody else does to the objects in a cluster.

use kube::{
    Api as KubeApi, Client, Config,
    api::{Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use multinic_lab_kubernetes::KubernetesLab;
use multinic_model::multinic_node_config::MultiNicNodeConfig;
use serde_json::{Value, json};

use super::stage::{
    NAMESPACE, OBJECTS, all_delivered, delivered, no_object, object_with, one_cluster, post, until_metric, writes,
};
use crate::support::{configs::node_json, on_both_databases};

/// An object with the name of the cluster `biz-1`, written by somebody else.
fn object(node: &str, interfaces: &Value) -> String {
    json!({"apiVersion": "multinic.io/v1alpha1", "kind": "MultiNicNodeConfig", "metadata": {"name": node,
        "namespace": NAMESPACE, "labels": {"multinic.io/provider-id": "biz-1"}},
        "spec": {"nodeName": node, "interfaces": interfaces}})
    .to_string()
}

/// As the agent on the node reports.
async fn set_status(lab: &KubernetesLab, node: &str, status: &Value) {
    let kubeconfig = Kubeconfig::from_yaml(&lab.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    let objects: KubeApi<MultiNicNodeConfig> = KubeApi::namespaced(Client::try_from(config).unwrap(), NAMESPACE);
    let patch = Patch::Merge(json!({"status": status}));
    objects
        .patch_status(node, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

on_both_databases! {
    async fn a_changed_or_deleted_object_is_put_right(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 2), node_json(2, 1)]).await;
        all_delivered(&api, "biz-1").await;
        let strange = json!([{"macAddress": "02:00:00:00:00:99"}]);
        lab.apply_yaml(&object("worker-1", &strange)).unwrap();
        let mended = object_with(&lab, "worker-1", 2).await;
        assert_eq!(mended["spec"]["interfaces"][0]["name"], "multinic1");
        assert!(lab.delete(OBJECTS, NAMESPACE, "worker-2").unwrap());
        object_with(&lab, "worker-2", 1).await;
        until_metric(&api, "multinic_api_drifted_objects_total 2").await;
    }

    async fn what_happened_while_nobody_looked_is_seen_with_the_next_list(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 2), node_json(2, 1), node_json(3, 1)]).await;
        all_delivered(&api, "biz-1").await;
        api.stop().await;
        lab.apply_yaml(&object("worker-1", &json!([{"macAddress": "02:00:00:00:00:99"}]))).unwrap();
        lab.delete(OBJECTS, NAMESPACE, "worker-2").unwrap();
        lab.clear_requests();
        let api = kubeconfigs.serve(&database).await;
        object_with(&lab, "worker-1", 2).await;
        object_with(&lab, "worker-2", 1).await;
        all_delivered(&api, "biz-1").await;
        let mut written: Vec<_> = writes(&lab).into_iter().map(|(_, name, _)| name).collect();
        written.sort();
        assert_eq!(written, ["worker-1", "worker-2"], "the third was as it should be");
    }

    async fn an_object_that_nobody_asked_for_is_counted_and_stays(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        delivered(&api, "worker-1", 1).await;
        lab.apply_yaml(&object("stray", &json!([{"macAddress": "02:00:00:00:00:99"}]))).unwrap();
        lab.compact();
        lab.drop_watches();
        until_metric(&api, "multinic_api_orphan_objects 1.0").await;
        assert!(lab.get(OBJECTS, NAMESPACE, "stray").unwrap().is_some());
    }

    async fn an_agents_status_in_the_object_lets_an_empty_one_go(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        let object = object_with(&lab, "worker-1", 1).await;
        set_status(&lab, "worker-1", &json!({"state": "Configured", "observedGeneration": object["metadata"]["generation"]})).await;
        post(&api, "biz-1", &[node_json(1, 0)]).await;
        let object = object_with(&lab, "worker-1", 0).await;
        delivered(&api, "worker-1", 2).await;
        set_status(&lab, "worker-1", &json!({"state": "InProgress", "observedGeneration": object["metadata"]["generation"]})).await;
        assert!(lab.get(OBJECTS, NAMESPACE, "worker-1").unwrap().is_some(), "the status of the object with an interface says nothing");
        set_status(&lab, "worker-1", &json!({"state": "Configured"})).await;
        no_object(&lab, "worker-1").await;
        delivered(&api, "worker-1", 2).await;
    }
}

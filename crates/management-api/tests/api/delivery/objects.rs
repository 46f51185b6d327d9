//! What becomes of one node's object.

use serde_json::json;

use super::stage::{
    NAMESPACE, OBJECTS, all_delivered, delivered, delivery, no_object, object_with, one_cluster, post, set_delivery,
    writes,
};
use crate::support::{
    api::{NODES, PROVIDERS},
    configs::node_json,
    on_both_databases,
};

on_both_databases! {
    async fn a_node_becomes_an_object_and_follows_its_changes(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 2)]).await;
        let object = object_with(&lab, "worker-1", 2).await;
        assert_eq!(object["metadata"]["labels"], json!({"multinic.io/node-name": "worker-1",
            "multinic.io/instance-id": "i-0001", "multinic.io/provider-id": "biz-1"}));
        assert_eq!(object["metadata"]["managedFields"][0]["manager"], "multinic-management-api");
        assert_eq!(object["spec"]["interfaces"][1]["name"], "multinic2");
        let state = delivered(&api, "worker-1", 1).await;
        assert_eq!((&state["attempts"], &state["lastError"], &state["nextAttemptAt"]), (&json!(0), &json!(null), &json!(null)));

        lab.clear_requests();
        post(&api, "biz-1", &[node_json(1, 2)]).await;
        post(&api, "biz-1", &[node_json(1, 3)]).await;
        object_with(&lab, "worker-1", 3).await;
        delivered(&api, "worker-1", 2).await;
        assert_eq!(writes(&lab), [("patch", "worker-1".to_owned(), 200)], "nothing for the post that changed nothing");

        assert_eq!(api.delete(&format!("{NODES}/worker-1")).await.status, 204);
        no_object(&lab, "worker-1").await;
    }

    async fn status_and_fields_of_others_are_left_alone(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        object_with(&lab, "worker-1", 1).await;
        lab.apply_yaml("{apiVersion: multinic.io/v1alpha1, kind: MultiNicNodeConfig, metadata: {name: worker-1, \
            namespace: multinic-system, annotations: {mine: kept}}}").unwrap();
        post(&api, "biz-1", &[node_json(1, 2)]).await;
        let object = object_with(&lab, "worker-1", 2).await;
        assert_eq!(object["metadata"]["annotations"]["mine"], "kept");
        assert!(lab.requests().iter().all(|request| request.subresource != "status"));
    }

    async fn an_object_of_another_provider_is_neither_overwritten_nor_deleted(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        kubeconfigs.put("biz-2", &lab.kubeconfig());
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        object_with(&lab, "worker-1", 1).await;
        let other = json!({"nodeName": "worker-1", "instanceId": "i-9", "interfaces": []});
        post(&api, "biz-2", &[other]).await;
        lab.until_requests(|requests| requests.iter().filter(|request| request.name == "worker-1" && request.verb == "get").count() >= 2).await;
        assert_eq!(writes(&lab).len(), 1);
        let gone = api.request_of("biz-2", reqwest::Method::DELETE, &format!("{NODES}/worker-1")).send().await.unwrap();
        assert_eq!(gone.status(), 204);
        all_delivered(&api, "biz-2").await;
        assert!(lab.get(OBJECTS, NAMESPACE, "worker-1").unwrap().is_some());
    }

    async fn a_cluster_without_a_target_gets_nothing_until_it_has_one(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        kubeconfigs.remove("biz-1");
        kubeconfigs.put("named", &lab.kubeconfig());
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1), node_json(2, 1)]).await;
        let off = delivery(&api, "worker-1", |_| true).await;
        assert_eq!(off, json!({"state": "off", "deliveredRevision": null, "deliveredAt": null, "attempts": 0,
            "nextAttemptAt": null, "lastError": null}));
        assert_eq!(api.get(&format!("{PROVIDERS}/biz-1")).await.json["undelivered"], 0);
        api.delete(&format!("{NODES}/worker-2")).await;

        set_delivery(&api, "biz-1", json!({"target": {"kind": "kubeconfig", "name": "named"}})).await;
        object_with(&lab, "worker-1", 1).await;
        delivered(&api, "worker-1", 1).await;
        assert_eq!(writes(&lab), [("patch", "worker-1".to_owned(), 201)], "what came and went before needs nothing");

        set_delivery(&api, "biz-1", json!({"target": {"kind": "none"}})).await;
        delivery(&api, "worker-1", |found| found["state"] == "off").await;
        assert!(lab.get(OBJECTS, NAMESPACE, "worker-1").unwrap().is_some(), "what is there stays");
    }

    async fn ten_changes_while_the_cluster_is_away_are_one_delivery(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        delivered(&api, "worker-1", 1).await;
        lab.stop().await;
        for interfaces in 2..=11 {
            post(&api, "biz-1", &[node_json(1, interfaces)]).await;
        }
        let failing = delivery(&api, "worker-1", |found| found["state"] == "failing").await;
        assert!(failing["lastError"].as_str().unwrap().contains("failed to reach the cluster"), "{failing}");
        lab.clear_requests();
        lab.start().await.unwrap();
        object_with(&lab, "worker-1", 11).await;
        delivered(&api, "worker-1", 11).await;
        assert_eq!(writes(&lab), [("patch", "worker-1".to_owned(), 200)]);
    }
}

//! Bad days of a cluster.

use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use serde_json::json;

use super::stage::{
    NAMESPACE, all_delivered, delivered, delivery, object_with, one_cluster, post, set_delivery, writes,
};
use crate::support::{
    api::{NODES, PROVIDERS},
    configs::node_json,
    on_both_databases,
};

on_both_databases! {
    async fn a_refused_node_is_shown_and_the_others_go_on(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        lab.fail(Matcher::any().verb("patch").name("worker-1"), Fault::Status(422), Times::N(3));
        post(&api, "biz-1", &[node_json(1, 1), node_json(2, 1)]).await;
        object_with(&lab, "worker-2", 1).await;
        let failing = delivery(&api, "worker-1", |found| found["state"] == "failing").await;
        assert!(failing["lastError"].as_str().unwrap().contains("refuses the object (422)"), "{failing}");
        assert!(failing["attempts"].as_u64().unwrap() >= 1);
        object_with(&lab, "worker-1", 1).await;
        delivered(&api, "worker-1", 1).await;
    }

    async fn every_answer_of_a_sick_cluster_is_got_over(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        let mut interfaces = 0;
        for status in [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504] {
            interfaces += 1;
            for verb in ["get", "patch"] {
                lab.fail(Matcher::any().verb(verb).resource("multinicnodeconfigs"), Fault::Status(status), Times::N(2));
            }
            post(&api, "biz-1", &[node_json(1, interfaces)]).await;
            object_with(&lab, "worker-1", interfaces).await;
        }
        lab.fail(Matcher::any().verb("patch"), Fault::Reset, Times::N(3));
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        object_with(&lab, "worker-1", 1).await;
        delivered(&api, "worker-1", u64::try_from(interfaces).unwrap() + 1).await;
    }

    async fn a_missing_or_broken_kubeconfig_is_said_and_a_good_one_taken_up(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        kubeconfigs.remove("biz-1");
        let api = kubeconfigs.serve(&database).await;
        set_delivery(&api, "biz-1", json!({"target": {"kind": "kubeconfig", "name": "biz-1"}})).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        let says = async |part: &str| {
            delivery(&api, "worker-1", |found| found["lastError"].as_str().is_some_and(|error| error.contains(part))).await
        };
        says("there is no such file").await;
        kubeconfigs.put("biz-1", "secret: [");
        says("it is not a kubeconfig").await;
        kubeconfigs.put("biz-1", &lab.kubeconfig_of("stranger"));
        says("failed to log in").await;
        assert_eq!(api.get(&format!("{PROVIDERS}/biz-1")).await.json["undelivered"], 1);
        kubeconfigs.put("biz-1", &lab.kubeconfig());
        object_with(&lab, "worker-1", 1).await;
        delivered(&api, "worker-1", 1).await;
    }

    async fn a_rotated_kubeconfig_is_used_without_a_restart(database: TestDatabase) {
        let (_old, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        delivered(&api, "worker-1", 1).await;
        let new = KubernetesLab::builder().user("next", "next-token").start().await.unwrap();
        kubeconfigs.put("biz-1", &new.kubeconfig_of("next"));
        object_with(&new, "worker-1", 1).await;
        assert!(new.requests().iter().all(|request| request.user == "next"));
    }

    async fn what_belongs_into_a_cluster_is_installed_again(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        delivered(&api, "worker-1", 1).await;
        assert!(lab.delete("namespaces", "", NAMESPACE).unwrap());
        post(&api, "biz-1", &[node_json(1, 2)]).await;
        object_with(&lab, "worker-1", 2).await;
    }

    async fn a_restarted_server_delivers_a_full_outbox(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        lab.stop().await;
        let nodes: Vec<_> = (1..=250).map(|number| node_json(number, 1)).collect();
        post(&api, "biz-1", &nodes).await;
        api.delete(&format!("{NODES}/worker-250")).await;
        api.stop().await;
        lab.start().await.unwrap();
        let api = kubeconfigs.serve(&database).await;
        object_with(&lab, "worker-249", 1).await;
        all_delivered(&api, "biz-1").await;
        assert_eq!(writes(&lab).len(), 249);
    }
}

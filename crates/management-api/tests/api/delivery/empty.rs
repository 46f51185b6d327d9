//! Nodes without interfaces: what becomes of their objects.

use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use serde_json::{Value, json};

use super::stage::{
    NAMESPACE, OBJECTS, all_delivered, delivered, no_object, object_with, one_cluster, post, set_delivery, writes,
};
use crate::support::{
    api::{Api, NODES},
    configs::node_json,
    on_both_databases,
};

async fn emptied(api: &Api, lab: &KubernetesLab) {
    post(api, "biz-1", &[node_json(1, 1), node_json(2, 1)]).await;
    object_with(lab, "worker-1", 1).await;
    post(api, "biz-1", &[node_json(1, 0)]).await;
}

async fn report(api: &Api, status: &Value) {
    let answer = api.put(&format!("{NODES}/worker-1/status"), status).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

/// The definition of agents in the field: at least one interface.
pub fn older_definition() -> String {
    let mut crd = serde_json::to_value(multinic_model::crds::Crd::MultiNicNodeConfig.definition()).unwrap();
    let schema = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["properties"]["interfaces"]["minItems"] = json!(1);
    crd.to_string()
}

on_both_databases! {
    async fn an_empty_node_keeps_its_object_until_its_agent_has_cleaned_up(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        emptied(&api, &lab).await;
        object_with(&lab, "worker-1", 0).await;
        delivered(&api, "worker-1", 2).await;
        report(&api, &json!({"state": "Configured", "observedGeneration": 1})).await;
        report(&api, &json!({"state": "InProgress", "observedGeneration": 2})).await;
        assert!(lab.get(OBJECTS, NAMESPACE, "worker-1").unwrap().is_some());
        report(&api, &json!({"state": "Configured", "observedGeneration": 2})).await;
        no_object(&lab, "worker-1").await;
        assert_eq!(delivered(&api, "worker-1", 2).await["lastError"], Value::Null);
        post(&api, "biz-1", &[node_json(1, 2)]).await;
        object_with(&lab, "worker-1", 2).await;
    }

    async fn an_agent_may_have_cleaned_up_before_the_object_says_so(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        post(&api, "biz-1", &[node_json(1, 1)]).await;
        object_with(&lab, "worker-1", 1).await;
        lab.stop().await;
        post(&api, "biz-1", &[node_json(1, 0)]).await;
        report(&api, &json!({"state": "Configured", "observedGeneration": 2})).await;
        lab.start().await.unwrap();
        no_object(&lab, "worker-1").await;
    }

    async fn an_empty_node_is_deleted_at_once_where_the_settings_say_so(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        set_delivery(&api, "biz-1", json!({"emptyNodes": "delete"})).await;
        emptied(&api, &lab).await;
        no_object(&lab, "worker-1").await;
        delivered(&api, "worker-1", 2).await;
        object_with(&lab, "worker-2", 1).await;
    }

    async fn an_empty_node_is_deleted_where_the_definition_wants_an_interface(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        lab.apply_yaml(&older_definition()).unwrap();
        let api = kubeconfigs.serve(&database).await;
        emptied(&api, &lab).await;
        no_object(&lab, "worker-1").await;
        delivered(&api, "worker-1", 2).await;
        assert!(lab.requests().iter().all(|request| request.resource != "customresourcedefinitions" || request.verb == "get"));
    }

    async fn an_empty_node_is_deleted_where_nobody_may_look_at_the_definition(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        lab.apply_yaml(&older_definition()).unwrap();
        lab.fail(Matcher::any().resource("customresourcedefinitions"), Fault::Status(403), Times::Always);
        let api = kubeconfigs.serve(&database).await;
        emptied(&api, &lab).await;
        no_object(&lab, "worker-1").await;
        delivered(&api, "worker-1", 2).await;
    }

    async fn an_empty_node_goes_when_its_time_is_over(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        set_delivery(&api, "biz-1", json!({"emptyRetentionHours": 2})).await;
        emptied(&api, &lab).await;
        object_with(&lab, "worker-1", 0).await;
        let state = delivered(&api, "worker-1", 2).await;
        let at: jiff::Timestamp = state["deliveredAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(database.due_at("worker-1", None).await, Some(at.as_microsecond() + 2 * 3_600_000_000));
        assert!(writes(&lab).iter().all(|(verb, ..)| *verb == "patch"));
        // As if the two hours were over.
        database.due_at("worker-1", Some(at.as_microsecond())).await;
        no_object(&lab, "worker-1").await;
        // Noted as gone, for good, once the answer of the cluster is in.
        while database.due_at("worker-1", None).await.is_some() {}
    }

    async fn an_object_that_got_interfaces_meanwhile_is_not_deleted(database: TestDatabase) {
        let (lab, kubeconfigs) = one_cluster().await;
        let api = kubeconfigs.serve(&database).await;
        emptied(&api, &lab).await;
        object_with(&lab, "worker-1", 0).await;
        delivered(&api, "worker-1", 2).await;
        // The deletion is held up in the cluster while the node gets interfaces again.
        lab.fail(Matcher::any().verb("delete"), Fault::Status(409), Times::N(1));
        report(&api, &json!({"state": "Configured", "observedGeneration": 2})).await;
        post(&api, "biz-1", &[node_json(1, 3)]).await;
        object_with(&lab, "worker-1", 3).await;
        all_delivered(&api, "biz-1").await;
        assert!(lab.get(OBJECTS, NAMESPACE, "worker-1").unwrap().is_some());
    }
}

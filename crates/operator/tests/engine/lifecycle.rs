//! What users do with configs, VMs and ports.

use multinic_lab::{Receiver, Service};
use serde_json::{Value, json};

use crate::stage::{CLUSTER, Cr, OTHER_CLUSTER, Stage, W1, W2, W3, cloud, entry, ids, node, nodes, red, said};

/// w1 and w2, on red.
fn two() -> Cr {
    Cr::red("c", &["w1", "w2"])
}

#[tokio::test]
async fn a_new_config_becomes_ready_with_one_post_of_exactly_the_contract() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    let config = stage.ready("c").await;
    let posts = stage.receiver.posts();
    let expected = format!(
        "[{{\"nodeName\":\"w1\",\"instanceId\":\"{W1}\",\"interfaces\":[{{\"id\":1,\"macAddress\":\"fa:16:3e:aa:00:01\",\
         \"address\":\"10.1.0.11\",\"cidr\":\"10.1.0.0/24\",\"mtu\":1450}}]}}]"
    );
    assert_eq!(
        posts.iter().map(|post| post.body.as_str()).collect::<Vec<_>>(),
        [expected]
    );
    assert_eq!(posts[0].cluster, CLUSTER);
    let status = config.status.as_ref().unwrap();
    assert_eq!((status.node_count, status.interface_count), (Some(1), Some(1)));
    assert_eq!(status.cluster_id.as_ref().unwrap().as_str(), CLUSTER);
    assert!(status.last_sync_time.is_some());
    assert_eq!(
        entry(&config, "w1"),
        json!({"vm": "w1", "instanceID": W1, "nodeName": "w1", "interfaces": 1, "state": "Delivered"})
    );
    let kinds: Vec<_> = status
        .conditions
        .iter()
        .map(|condition| condition.type_.as_str())
        // Whether it is known already where the news come from is a matter of moments.
        .filter(|kind| *kind != "EventSource")
        .collect();
    assert_eq!(
        kinds,
        [
            "CredentialsResolved",
            "CloudReachable",
            "Resolved",
            "Delivered",
            "Ready"
        ]
    );
    assert_eq!(
        config.metadata.finalizers,
        Some(vec!["multinic.example.com/withdraw".to_owned()])
    );
}

#[tokio::test]
async fn names_and_uuids_select_the_same_way_and_what_is_not_found_is_said_without_stopping_the_others() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &[W1, "w2", "w9"])).await;
    let config = stage.says("c", "VMNotFound").await;
    assert_eq!(said(&config, "Delivered").unwrap().0, "True");
    assert_eq!(
        stage.nodes(),
        nodes([node("w1", W1, vec![red(1, 1)]), node("w2", W2, vec![red(1, 2)])])
    );
    assert_eq!(
        entry(&config, "w9"),
        json!({"vm": "w9", "interfaces": 0, "state": "Failed", "finding": "VMNotFound"})
    );
}

#[tokio::test]
async fn a_vm_that_is_added_or_taken_out_is_delivered_or_withdrawn_at_once() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&two()).await;
    stage.ready("c").await;
    stage.apply(&Cr::red("c", &["w2", "w3"])).await;
    let config = stage.ready("c").await;
    assert_eq!(
        stage.nodes(),
        nodes([
            node("w1", W1, vec![] as Vec<Value>),
            node("w2", W2, vec![red(1, 2)]),
            node("w3", W3, vec![red(1, 3)])
        ])
    );
    assert_eq!(
        config.status.unwrap().nodes.len(),
        2,
        "w1 is forgotten once it is withdrawn"
    );
}

#[tokio::test]
async fn a_vm_that_was_taken_out_while_the_operator_was_away_is_withdrawn_by_the_next_one() {
    let mut stage = Stage::new(cloud()).await;
    stage.apply(&two()).await;
    stage.ready("c").await;
    stage.kill().await;
    stage.apply(&Cr::red("c", &["w2"])).await;
    stage.begin().await;
    stage.ready("c").await;
    assert_eq!(stage.nodes()["w1"]["interfaces"], json!([]));
    assert_eq!(ids(&stage.nodes()["w2"]).len(), 1);
}

#[tokio::test]
async fn a_port_that_is_attached_gets_the_next_id_and_the_others_keep_theirs() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "100ms".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.ready("c").await;
    let before = ids(&stage.nodes()["w1"]);
    stage.lab.cloud().attach_port("w1", "red").unwrap();
    stage.delivered(CLUSTER, |nodes| ids(&nodes["w1"]).len() == 2).await;
    let after = ids(&stage.nodes()["w1"]);
    assert!(before.iter().all(|(mac, id)| after[mac] == *id), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_renamed_vm_moves_to_its_new_node_with_its_ids() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "100ms".to_owned();
    stage.begin().await;
    stage.apply(&Cr::red("c", &[W1, W2])).await;
    stage.ready("c").await;
    let before = ids(&stage.nodes()["w1"]);
    stage.lab.cloud().rename_vm("w1", "w1-new").unwrap();
    stage
        .delivered(CLUSTER, |nodes| {
            nodes["w1"]["interfaces"] == json!([]) && !ids(&nodes["w1-new"]).is_empty()
        })
        .await;
    assert_eq!(ids(&stage.nodes()["w1-new"]), before);
    let config = stage
        .until("c", |config| {
            entry(config, W1)["nodeName"] == "w1-new" && said(config, "Ready").unwrap().0 == "True"
        })
        .await;
    assert_eq!(config.status.unwrap().nodes.len(), 2);
}

#[tokio::test]
async fn a_deleted_vm_is_withdrawn_after_a_second_reading_has_missed_it() {
    let mut stage = Stage::set(cloud(), Receiver::start().unwrap()).await;
    stage.settings.interval = "100ms".to_owned();
    stage.begin().await;
    stage.apply(&two()).await;
    stage.ready("c").await;
    stage.lab.cloud().delete_vm("w1").unwrap();
    stage
        .delivered(CLUSTER, |nodes| nodes["w1"]["interfaces"] == json!([]))
        .await;
    assert_eq!(ids(&stage.nodes()["w2"]).len(), 1);
    let config = stage.says("c", "VMNotFound").await;
    let claimed = |entry: Value| entry["nodeName"].is_string();
    let config = if claimed(entry(&config, "w1")) {
        stage.until("c", |config| !claimed(entry(config, "w1"))).await
    } else {
        config
    };
    assert_eq!(entry(&config, "w1")["finding"], "VMNotFound");
}

#[tokio::test]
async fn a_config_that_names_another_cluster_is_withdrawn_from_the_old_one_and_delivered_to_the_new_one() {
    let stage = Stage::new(cloud()).await;
    stage.apply(&two()).await;
    stage.ready("c").await;
    stage.receiver.clear_requests();
    stage.apply(&two().cluster(OTHER_CLUSTER)).await;
    let config = stage.ready("c").await;
    assert_eq!(stage.nodes()["w1"]["interfaces"], json!([]));
    assert_eq!(stage.nodes()["w2"]["interfaces"], json!([]));
    let moved = stage.receiver.node_configs(OTHER_CLUSTER);
    assert_eq!(
        moved,
        nodes([node("w1", W1, vec![red(1, 1)]), node("w2", W2, vec![red(1, 2)])])
    );
    assert_eq!(config.status.unwrap().cluster_id.unwrap().as_str(), OTHER_CLUSTER);
    let order: Vec<_> = stage.receiver.posts().into_iter().map(|post| post.cluster).collect();
    assert_eq!(order, [CLUSTER, OTHER_CLUSTER], "a MAC address leaves before it comes");
}

#[tokio::test]
async fn a_cluster_change_while_the_operator_was_away_is_noticed() {
    let mut stage = Stage::new(cloud()).await;
    stage.apply(&two()).await;
    stage.ready("c").await;
    stage.end().await;
    stage.apply(&two().cluster(OTHER_CLUSTER)).await;
    stage.begin().await;
    stage.ready("c").await;
    assert_eq!(stage.nodes()["w1"]["interfaces"], json!([]));
    assert_eq!(ids(&stage.receiver.node_configs(OTHER_CLUSTER)["w1"]).len(), 1);
}

#[tokio::test]
async fn a_mass_removal_by_readings_is_held_until_the_user_says_that_it_is_meant() {
    let cloud = (0..6).fold(cloud(), |cloud, n| cloud.vm(&format!("m{n}")).port("red"));
    let mut stage = Stage::set(cloud, Receiver::start().unwrap()).await;
    stage.settings.interval = "50ms".to_owned();
    stage.begin().await;
    stage
        .apply(&Cr::red("c", &["w1", "m0", "m1", "m2", "m3", "m4", "m5"]))
        .await;
    stage.ready("c").await;
    let before = stage.nodes();
    for n in 0..6 {
        let port = stage.lab.cloud().ports_of(&format!("m{n}")).unwrap().remove(0);
        stage.lab.cloud().detach_port(&port).unwrap();
    }
    stage.says("c", "RemovalHeld").await;
    let read = stage.lab.requests_to(Service::Neutron).len();
    stage
        .read(|requests| {
            requests
                .iter()
                .filter(|request| request.service == Service::Neutron)
                .count()
                > read + 8
        })
        .await;
    assert_eq!(stage.nodes(), before, "nothing goes by itself");
    stage
        .patch(
            "c",
            json!({"metadata": {"annotations": {"multinic.example.com/allow-mass-removal": "true"}}}),
        )
        .await;
    stage
        .delivered(CLUSTER, |nodes| {
            (0..6).all(|n| nodes[format!("m{n}")]["interfaces"] == json!([]))
        })
        .await;
    let config = stage
        .until("c", |config| {
            config
                .metadata
                .annotations
                .as_ref()
                .is_none_or(std::collections::BTreeMap::is_empty)
        })
        .await;
    assert_eq!(config.metadata.name.as_deref(), Some("c"));
    assert_eq!(ids(&stage.nodes()["w1"]).len(), 1);
}

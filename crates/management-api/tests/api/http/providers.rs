//! The clusters.

use multinic_management_api::store::Registration;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    api::{Api, NODES, PROVIDERS},
    configs::node_json,
    on_both_databases,
};

/// Without how delivering goes, which changes by itself: there is no kubeconfig.
fn kept(provider: &Value) -> Value {
    let mut kept = provider.clone();
    kept["target"].take();
    kept
}

on_both_databases! {
    async fn a_cluster_registers_itself_and_is_counted(database: TestDatabase) {
        let api = Api::start(&database).await;
        assert_eq!(api.get(PROVIDERS).await.json, json!({"items": [], "nextCursor": null}));
        api.post(&json!([node_json(1, 2), node_json(2, 1)])).await;
        let one = api.get(&format!("{PROVIDERS}/biz-1")).await;
        assert_eq!((&one.json["nodes"], &one.json["interfaces"]), (&json!(2), &json!(3)));
        assert_eq!((&one.json["undelivered"], &one.json["sequence"]), (&json!(0), &json!(2)), "nothing is owed to a cluster without a target");
        assert_eq!(one.json["delivery"], json!({"target": {"kind": "auto"}, "emptyNodes": "keep", "emptyRetentionHours": 168, "crd": "manage"}));
        assert_eq!(api.get(PROVIDERS).await.json["items"], json!([one.json]));
    }

    async fn settings_are_put_and_read_back(database: TestDatabase) {
        let api = Api::start(&database).await;
        let path = format!("{PROVIDERS}/biz-7");
        let settings = json!({"displayName": "비즈 7", "delivery": {"target": {"kind": "kubeconfig", "name": "biz-7"}, "emptyNodes": "delete", "emptyRetentionHours": 24, "crd": "leave"}});
        let new = api.put(&path, &settings).await;
        assert_eq!(new.status, StatusCode::CREATED);
        assert_eq!((&new.json["displayName"], &new.json["delivery"]), (&settings["displayName"], &settings["delivery"]));
        let again = api.put(&path, &settings).await;
        assert_eq!((again.status, kept(&again.json)), (StatusCode::OK, kept(&new.json)), "nothing was written");
        for bad in [json!([]), json!({"delivery": {"target": {"kind": "kubeconfig", "name": "../../etc/shadow"}}}),
            json!({"delivery": {"target": {"kind": "carrier pigeon"}}}), json!({"delivery": {"emptyRetentionHours": 8761}}), json!({"name": "x"}), json!({"displayName": "a\u{7}"})]
        {
            assert_eq!(api.put(&path, &bad).await.problem().0, 400, "{bad}");
        }
        assert_eq!(api.put(&format!("{PROVIDERS}/a%20b"), &settings).await.problem().0, 400);
    }

    async fn a_cluster_with_nodes_is_not_deleted(database: TestDatabase) {
        let api = Api::start(&database).await;
        let path = format!("{PROVIDERS}/biz-1");
        assert_eq!(api.delete(&path).await.problem().0, 404);
        api.post(&json!([node_json(1, 1)])).await;
        assert_eq!(api.delete(&path).await.problem(), (409, "provider-in-use".to_owned()));
        api.delete(&format!("{NODES}/worker-1")).await;
        assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(api.get(&path).await.problem().0, 404);
    }

    async fn a_strict_server_knows_only_registered_clusters(database: TestDatabase) {
        let api = Api::start_with(&database, |options| options.registration = Registration::Strict).await;
        // Never 404 to a GET: that would say that this server cannot read back.
        assert_eq!(api.get(NODES).await.problem(), (403, "unknown-provider".to_owned()));
        assert_eq!(api.post(&json!([node_json(1, 1)])).await.problem(), (403, "unknown-provider".to_owned()));
        api.put(&format!("{PROVIDERS}/biz-1"), &json!({})).await;
        assert_eq!(api.post(&json!([node_json(1, 1)])).await.results(), ["created"]);
    }
}

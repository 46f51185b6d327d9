//! POST: what becomes of each node.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    api::{Api, NODES, send},
    configs::{mac, node_json},
    on_both_databases,
};

on_both_databases! {
    async fn a_batch_is_created_then_unchanged_then_updated(database: TestDatabase) {
        let api = Api::start(&database).await;
        let answer = api.post(&json!([node_json(1, 2), node_json(2, 0)])).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json, json!({"results": [
            {"index": 0, "nodeName": "worker-1", "status": "created", "revision": 1, "error": null},
            {"index": 1, "nodeName": "worker-2", "status": "created", "revision": 1, "error": null}]}));
        let answer = api.post(&json!([node_json(1, 2), node_json(2, 1)])).await;
        assert_eq!((answer.status, answer.results()), (StatusCode::OK, vec!["unchanged", "updated"]));
        assert_eq!(answer.json["results"][1]["revision"], 2);
        assert_eq!(api.post(&json!([])).await.json, json!({"results": []}));
    }

    async fn one_bad_node_does_not_hold_up_the_others(database: TestDatabase) {
        let api = Api::start(&database).await;
        let mut bad = node_json(2, 2);
        bad["interfaces"][1]["mtu"] = json!(42);
        let answer = api.post(&json!([node_json(1, 1), bad])).await;
        assert_eq!((answer.status, answer.results()), (StatusCode::MULTI_STATUS, vec!["created", "rejected"]));
        let rejected = &answer.json["results"][1];
        assert_eq!(rejected["nodeName"], "worker-2");
        assert_eq!(rejected["revision"], json!(null));
        assert_eq!(rejected["fault"], json!({"at": "/1/interfaces/1/mtu", "found": "42", "allowed": "68 to 65535",
            "detail": "failed to accept 42 as an MTU: expected 68 to 65535 bytes"}));
        assert_eq!(rejected["error"], "/1/interfaces/1/mtu: failed to accept 42 as an MTU: expected 68 to 65535 bytes, \
            found 42, allowed: 68 to 65535");
        let answer = api.post(&json!([bad])).await;
        assert_eq!((answer.status, answer.results()), (StatusCode::UNPROCESSABLE_ENTITY, vec!["rejected"]));
        assert_eq!(api.get(NODES).await.names(), ["worker-1"]);
    }

    async fn a_mac_given_twice_names_both_places(database: TestDatabase) {
        let api = Api::start(&database).await;
        api.post(&json!([node_json(1, 2)])).await;
        let mut thief = node_json(2, 1);
        thief["interfaces"][0]["macAddress"] = json!(mac(18));
        let answer = api.post(&json!([thief])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let fault = &answer.json["results"][0]["fault"];
        assert_eq!((&fault["at"], &fault["found"]), (&json!("/0/interfaces/0/macAddress"), &json!(mac(18))));
        assert_eq!(fault["other"], "interface 2 of node worker-1");
        thief = node_json(2, 1);
        thief["interfaces"][0]["address"] = node_json(1, 2)["interfaces"][0]["address"].clone();
        let answer = api.post(&json!([thief])).await;
        assert_eq!(answer.json["results"][0]["fault"]["at"], "/0/interfaces/0/address");
        assert_eq!(answer.json["results"][0]["fault"]["other"], "interface 1 of node worker-1");
    }

    async fn a_stale_revision_is_refused(database: TestDatabase) {
        let api = Api::start(&database).await;
        api.post(&json!([node_json(1, 1)])).await;
        api.post(&json!([node_json(1, 2)])).await;
        let mut stale = node_json(1, 3);
        stale["revision"] = json!(1);
        let answer = api.post(&json!([stale])).await;
        let fault = &answer.json["results"][0]["fault"];
        assert_eq!((&fault["at"], &fault["found"], &fault["allowed"]), (&json!("/0/revision"), &json!("1"), &json!("2")));
        stale["revision"] = json!(2);
        assert_eq!(api.post(&json!([stale])).await.results(), ["updated"]);
    }

    async fn a_repeated_key_is_answered_as_before(database: TestDatabase) {
        let api = Api::start(&database).await;
        let post = |body| api.request(Method::POST, NODES).header("idempotency-key", "k-1").json(&body);
        let first = send(post(json!([node_json(1, 1), {"nodeName": "worker-2"}]))).await;
        assert_eq!(first.status, StatusCode::MULTI_STATUS);
        api.post(&json!([node_json(1, 2)])).await;
        let again = send(post(json!([node_json(1, 1), {"nodeName": "worker-2"}]))).await;
        assert_eq!((again.status, &again.json), (first.status, &first.json));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert!(!first.headers.contains_key("idempotency-replayed"));
        assert_eq!(api.get(&format!("{NODES}/worker-1")).await.json["revision"], 2);
        let other = send(post(json!([node_json(1, 1)]))).await;
        assert_eq!(other.problem(), (422, "idempotency-key-reused".to_owned()));
        let bad = send(api.request(Method::POST, NODES).header("idempotency-key", "").json(&json!([]))).await;
        assert_eq!(bad.problem().0, 400);
    }
}

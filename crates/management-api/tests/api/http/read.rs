//! GET, DELETE, revisions, reports.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    api::{Api, NODES, send},
    configs::node_json,
    on_both_databases,
};

on_both_databases! {
    async fn pages_follow_one_another(database: TestDatabase) {
        let api = Api::start(&database).await;
        assert_eq!(api.get(NODES).await.json, json!({"items": [], "nextCursor": null}));
        let nodes: Vec<_> = (0..5).map(|number| node_json(number, 1)).collect();
        api.post(&json!(nodes)).await;
        let mut names = Vec::new();
        let mut path = format!("{NODES}?limit=2");
        loop {
            let page = api.get(&path).await;
            names.extend(page.names().into_iter().map(ToOwned::to_owned));
            let Some(cursor) = page.json["nextCursor"].as_str() else { break };
            path = format!("{NODES}?limit=2&cursor={cursor}");
        }
        assert_eq!(names, ["worker-0", "worker-1", "worker-2", "worker-3", "worker-4"]);
        let exact = api.get(&format!("{NODES}?limit=5")).await;
        assert_eq!(exact.json["nextCursor"], json!(null));
    }

    async fn filters_find_nodes(database: TestDatabase) {
        let api = Api::start(&database).await;
        api.post(&json!([node_json(1, 1), node_json(2, 2)])).await;
        for (query, names) in [
            ("nodeName=worker-1", vec!["worker-1"]),
            ("instanceId=i-0002", vec!["worker-2"]),
            ("macAddress=02-00-00-00-00-22", vec!["worker-2"]),
            ("address=10.0.0.17", vec!["worker-1"]),
            ("address=10.0.0.99", vec![]),
            ("updatedSince=2001-01-01T00:00:00Z&nodeName=worker-2", vec!["worker-2"]),
            ("updatedSince=2201-01-01T09:00:00%2B09:00", vec![]),
        ] {
            assert_eq!(api.get(&format!("{NODES}?{query}")).await.names(), names, "{query}");
        }
        for query in ["limit=0", "limit=x", "limit=2147483648", "cursor=%20", "cursor=____", "macAddress=1", "address=1", "updatedSince=now",
            "nodeName=A", "instanceId=", "watch=maybe", "unknown=1", "limit=1&limit=2"]
        {
            assert_eq!(api.get(&format!("{NODES}?{query}")).await.problem(), (400, "bad-request".to_owned()), "{query}");
        }
    }

    async fn one_node_has_a_tag_that_changes_with_it(database: TestDatabase) {
        let api = Api::start(&database).await;
        let path = format!("{NODES}/worker-1");
        assert_eq!(api.get(&path).await.problem(), (404, "not-found".to_owned()));
        api.post(&json!([node_json(1, 1)])).await;
        let answer = api.get(&path).await;
        let expected = node_json(1, 1);
        for key in ["nodeName", "instanceId", "interfaces"] {
            assert_eq!(answer.json[key], expected[key]);
        }
        assert_eq!(answer.json["revision"], 1);
        assert_eq!(answer.json["delivery"]["state"], "off");
        assert_eq!(answer.json["status"], json!(null));
        let tag = answer.headers["etag"].to_str().unwrap().to_owned();
        let ask = |tag: String| send(api.request(Method::GET, &path).header("if-none-match", tag));
        assert_eq!(ask(tag.clone()).await.status, StatusCode::NOT_MODIFIED);
        assert_eq!(ask(format!("\"other\", W/{tag}")).await.status, StatusCode::NOT_MODIFIED);
        api.post(&json!([node_json(1, 2)])).await;
        assert_eq!(ask(tag).await.status, StatusCode::OK);
    }

    async fn a_deleted_node_is_gone_but_its_history_stays(database: TestDatabase) {
        let api = Api::start(&database).await;
        let path = format!("{NODES}/worker-1");
        api.post(&json!([node_json(1, 1)])).await;
        api.post(&json!([node_json(1, 0)])).await;
        assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(api.delete(&path).await.problem().0, 404);
        assert_eq!(api.get(&path).await.problem().0, 404);
        let history = api.get(&format!("{path}/revisions?limit=2")).await;
        let kinds: Vec<_> = history.json["items"].as_array().unwrap().iter().map(|item| item["kind"].clone()).collect();
        assert_eq!(kinds, ["deleted", "updated"]);
        assert_eq!(history.json["items"][0]["changedBy"], "anonymous");
        let cursor = history.json["nextCursor"].as_str().unwrap();
        let rest = api.get(&format!("{path}/revisions?cursor={cursor}")).await;
        assert_eq!(rest.json["items"][0]["interfaces"], node_json(1, 1)["interfaces"]);
        assert_eq!(rest.json["nextCursor"], json!(null));
        assert_eq!(api.get(&format!("{NODES}/worker-9/revisions")).await.problem().0, 404);
        assert_eq!(api.post(&json!([node_json(1, 1)])).await.json["results"][0]["revision"], 4);
    }

    async fn nodes_are_found_by_their_server(database: TestDatabase) {
        let api = Api::start(&database).await;
        let mut renamed = node_json(2, 1);
        renamed["instanceId"] = json!("i-0001");
        api.post(&json!([node_json(1, 0), renamed])).await;
        let found = api.get(&format!("{NODES}/by-instance/i-0001")).await;
        assert_eq!(found.names(), ["worker-1", "worker-2"]);
        assert_eq!(api.get(&format!("{NODES}/by-instance/i-9")).await.problem().0, 404);
        assert_eq!(api.get(&format!("{NODES}/by-instance/a%20b")).await.problem().0, 400);
    }

    async fn an_agents_report_is_kept_and_shown(database: TestDatabase) {
        let api = Api::start(&database).await;
        api.post(&json!([node_json(1, 1)])).await;
        let path = format!("{NODES}/worker-1");
        let report = json!({"state": "Configured", "observedGeneration": 1,
            "interfaceStatuses": [{"id": 1, "name": "multinic1", "status": "Configured"}]});
        assert_eq!(api.put(&format!("{path}/status"), &report).await.status, StatusCode::NO_CONTENT);
        let shown = api.get(&path).await;
        assert_eq!(shown.json["status"]["state"], "Configured");
        assert_eq!(shown.json["status"]["observedGeneration"], 1);
        assert_eq!(shown.json["status"]["interfaceStatuses"][0]["name"], "multinic1");
        assert_eq!(api.put(&format!("{path}/status"), &report).await.status, StatusCode::NO_CONTENT);
        assert_eq!(api.get(&path).await.headers["etag"], shown.headers["etag"], "the same report writes nothing");
        for bad in [json!({}), json!({"state": "Good"}), json!([]), json!({"state": "Failed", "observedGeneration": -1})] {
            assert_eq!(api.put(&format!("{path}/status"), &bad).await.problem().0, 400, "{bad}");
        }
        assert_eq!(api.put(&format!("{NODES}/worker-2/status"), &report).await.problem().0, 404);
        let plain = api.request(Method::PUT, &format!("{path}/status")).body("{}");
        assert_eq!(send(plain).await.problem().0, 415);
    }
}

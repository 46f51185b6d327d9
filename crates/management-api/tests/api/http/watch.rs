//! Watches.

use multinic_management_api::store::{Registration, Store};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    api::{Api, NODES, PROVIDERS, read},
    configs::{digest, node_json},
    database::TestDatabase,
    on_both_databases,
};

/// An open watch.
struct Watch {
    response: reqwest::Response,
    text: String,
}

#[derive(Debug)]
struct Seen {
    event: String,
    id: Option<String>,
    data: Value,
}

impl Watch {
    async fn open(api: &Api, query: &str, last: Option<&str>) -> Self {
        let request = api.request(Method::GET, &format!("{NODES}?watch=true{query}"));
        let request = last
            .into_iter()
            .fold(request, |request, last| request.header("last-event-id", last));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.map(ToOwned::to_owned)
                };
                let seen = field("event").map(|event| Seen {
                    event,
                    id: field("id"),
                    data: serde_json::from_str(&field("data").unwrap()).unwrap(),
                });
                self.text = String::from(rest);
                match seen {
                    Some(seen) => return Some(seen),
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn events(&mut self, count: usize) -> Vec<(String, String)> {
        let mut events = Vec::new();
        for _ in 0..count {
            let seen = self.next().await.unwrap();
            events.push((
                seen.event,
                seen.data["nodeName"].as_str().unwrap_or_default().to_owned(),
            ));
        }
        events
    }
}

fn told(events: &[(&str, &str)]) -> Vec<(String, String)> {
    events
        .iter()
        .map(|(event, node)| ((*event).to_owned(), (*node).to_owned()))
        .collect()
}

on_both_databases! {
    async fn a_watch_begins_with_what_is_there_and_goes_on_with_changes(database: TestDatabase) {
        let api = Api::start(&database).await;
        api.post(&json!([node_json(1, 1), node_json(2, 1)])).await;
        let mut watch = Watch::open(&api, "", None).await;
        assert_eq!(watch.events(2).await, told(&[("node", "worker-1"), ("node", "worker-2")]));
        let synced = watch.next().await.unwrap();
        assert_eq!((synced.event.as_str(), synced.id.as_deref()), ("synced", Some("2")));
        api.post(&json!([node_json(2, 2), node_json(3, 1)])).await;
        assert_eq!(watch.events(2).await, told(&[("updated", "worker-2"), ("created", "worker-3")]));
        api.delete(&format!("{NODES}/worker-1")).await;
        let deleted = watch.next().await.unwrap();
        assert_eq!((deleted.event.as_str(), deleted.id.as_deref()), ("deleted", Some("5")));
        assert_eq!(deleted.data["revision"], 2);
    }

    async fn a_watch_is_taken_up_where_it_broke_off(database: TestDatabase) {
        let api = Api::start(&database).await;
        for round in 1..=4 {
            api.post(&json!([node_json(1, round)])).await;
        }
        let mut watch = Watch::open(&api, "", Some("2")).await;
        assert_eq!(watch.next().await.unwrap().id.as_deref(), Some("3"));
        assert_eq!(watch.next().await.unwrap().id.as_deref(), Some("4"));
        api.post(&json!([node_json(2, 1)])).await;
        assert_eq!(watch.next().await.unwrap().id.as_deref(), Some("5"));
    }

    async fn an_agent_hears_of_its_node_only(database: TestDatabase) {
        let api = Api::start(&database).await;
        let mut watch = Watch::open(&api, "&nodeName=worker-2", None).await;
        assert_eq!(watch.next().await.unwrap().event, "synced");
        api.post(&json!([node_json(1, 1)])).await;
        api.post(&json!([node_json(2, 1)])).await;
        assert_eq!(watch.events(1).await, told(&[("created", "worker-2")]));
    }

    async fn changes_of_another_replica_are_told(database: TestDatabase) {
        let api = Api::start(&database).await;
        let other = Api::start(&database).await;
        let mut watch = Watch::open(&api, "", None).await;
        assert_eq!(watch.next().await.unwrap().event, "synced");
        other.post(&json!([node_json(1, 1)])).await;
        assert_eq!(watch.events(1).await, told(&[("created", "worker-1")]));
    }

    async fn a_deleted_cluster_ends_its_watches(database: TestDatabase) {
        let api = Api::start(&database).await;
        api.post(&json!([node_json(1, 1)])).await;
        let mut watch = Watch::open(&api, "", None).await;
        assert_eq!(watch.events(2).await, told(&[("node", "worker-1"), ("synced", "")]));
        api.delete(&format!("{NODES}/worker-1")).await;
        assert_eq!(watch.events(1).await, told(&[("deleted", "worker-1")]));
        assert_eq!(api.delete(&format!("{PROVIDERS}/biz-1")).await.status, StatusCode::NO_CONTENT);
        assert!(watch.next().await.is_none());
        api.post(&json!([node_json(2, 1)])).await;
        let request = api.request(Method::GET, &format!("{NODES}?watch=true")).header("last-event-id", "2");
        assert_eq!(read(request.send().await.unwrap()).await.problem(), (410, "gone".to_owned()));
    }

    async fn what_is_forgotten_is_gone(database: TestDatabase) {
        let api = Api::start(&database).await;
        for round in 1..=3 {
            api.post(&json!([node_json(1, round)])).await;
        }
        let store = Store::new(&database.settings(), Registration::Automatic).unwrap();
        store.prune(jiff::SignedDuration::from_hours(-1)).await.unwrap();
        for last in ["0", "1", "4", "99"] {
            let request = api.request(Method::GET, &format!("{NODES}?watch=true")).header("last-event-id", last);
            assert_eq!(read(request.send().await.unwrap()).await.problem(), (410, "gone".to_owned()), "{last}");
        }
        let request = api.request(Method::GET, &format!("{NODES}?watch=true")).header("last-event-id", "x");
        assert_eq!(read(request.send().await.unwrap()).await.problem().0, 400);
        let mut watch = Watch::open(&api, "", Some("2")).await;
        assert_eq!(watch.next().await.unwrap().id.as_deref(), Some("3"));
    }
}

#[tokio::test]
async fn a_thousand_changes_at_once_all_arrive_in_order() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let mut watches = Vec::new();
    for _ in 0..5 {
        let mut watch = Watch::open(&api, "", None).await;
        assert_eq!(watch.next().await.unwrap().event, "synced");
        watches.push(watch);
    }
    let nodes: Vec<_> = (0..2_500).map(|number| node_json(number, 1)).collect();
    assert_eq!(api.post(&json!(nodes)).await.status, StatusCode::OK);
    for watch in &mut watches {
        for expected in 1..=2_500 {
            assert_eq!(watch.next().await.unwrap().id, Some(expected.to_string()));
        }
    }
}

#[tokio::test]
async fn too_many_watches_are_refused_and_a_shutdown_ends_them() {
    let database = TestDatabase::sqlite();
    let api = Api::start_with(&database, |options| options.limits.watchers = 1).await;
    let mut watch = Watch::open(&api, "", None).await;
    assert_eq!(watch.next().await.unwrap().event, "synced");
    let second = api.get(&format!("{NODES}?watch=true")).await;
    assert_eq!(second.problem(), (503, "unavailable".to_owned()));
    assert!(second.headers.contains_key("retry-after"));
    let text = api.get("/metrics").await.json;
    assert!(text.as_str().unwrap().contains("multinic_api_watchers 1"), "{text}");
    assert_eq!(api.get(PROVIDERS).await.status, StatusCode::OK);
    api.stop().await;
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_watch_ends_with_the_token_it_was_opened_with() {
    let tokens = |a: &str, b: &str| {
        format!(
            "tokens:\n- {{name: a, role: viewer, providers: [{a}], sha256: {}}}\n\
             - {{name: b, role: viewer, providers: [{b}], sha256: {}}}\n",
            digest("the-token-of-a-viewer"),
            digest("the-token-of-another"),
        )
    };
    let database = TestDatabase::sqlite();
    let api = Api::start_with_tokens(&database, Some(&tokens("biz-1", "biz-1")), |options| {
        options.reload = std::time::Duration::from_millis(10);
    })
    .await;
    let open = async |token: &str| {
        let request = api
            .request(Method::GET, &format!("{NODES}?watch=true"))
            .bearer_auth(token);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Watch {
            response,
            text: String::new(),
        }
    };
    let (mut revoked, mut kept) = (open("the-token-of-a-viewer").await, open("the-token-of-another").await);
    assert_eq!(revoked.next().await.unwrap().event, "synced");
    api.replace_tokens(&tokens("biz-2", "biz-1"));
    assert!(revoked.next().await.is_none());
    assert_eq!(kept.next().await.unwrap().event, "synced");
    let store = Store::new(&database.settings(), Registration::Automatic).unwrap();
    crate::support::configs::put(&store, [crate::support::configs::node(1, 1)]).await;
    assert_eq!(kept.events(1).await, told(&[("created", "worker-1")]));
}

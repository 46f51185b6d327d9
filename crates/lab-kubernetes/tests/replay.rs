//! Every recorded exchange with a real Kubernetes 1.36, made again with this server, in order: the same statuses, the
//! same headers, the same bodies.
//!
//! Uids, revisions, times and the ends of generated names are of one run: they are compared by what they mean. A uid or
//! a revision that was the same before is the same again, and revisions keep their order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use multinic_lab_kubernetes::KubernetesLab;
use serde_json::{Value, json};

struct Replay {
    lab: KubernetesLab,
    client: reqwest::Client,
    uids: BTreeMap<String, String>,
    revisions: BTreeMap<u64, u64>,
}

#[tokio::test]
async fn every_recorded_exchange_happens_again() {
    let lab = KubernetesLab::builder().start().await.unwrap();
    let certificate = reqwest::Certificate::from_pem(lab.certificate().as_bytes()).unwrap();
    let mut replay = Replay {
        lab,
        client: reqwest::Client::builder()
            .tls_certs_only([certificate])
            .build()
            .unwrap(),
        uids: BTreeMap::new(),
        revisions: BTreeMap::new(),
    };
    let mut count = 0;
    for exchange in exchanges() {
        replay.exchange(&exchange).await;
        count += 1;
    }
    assert_eq!(count, 45);
    let ours: Vec<u64> = replay.revisions.values().copied().collect();
    assert!(
        ours.is_sorted_by(|a, b| a < b),
        "revisions lost their order: {:?}",
        replay.revisions
    );
}

fn exchanges() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

impl Replay {
    async fn exchange(&mut self, exchange: &Value) {
        let name = exchange["name"].as_str().unwrap();
        let (request, recorded) = (&exchange["request"], &exchange["response"]);
        let mut response = self.send(name, request).await;
        assert_eq!(
            u64::from(response.status().as_u16()),
            recorded["status"].as_u64().unwrap(),
            "{name}"
        );
        for header in ["Content-Type", "Warning"] {
            let found = response.headers().get(header).map(|value| value.to_str().unwrap());
            assert_eq!(found, recorded["headers"][header].as_str(), "{name}: {header}");
        }
        if let Some(events) = recorded["events"].as_array() {
            let ours = self.events(name, &mut response, events.len()).await;
            self.compare(name, events, &ours);
        } else {
            let ours: Value = response.json().await.unwrap();
            self.compare_bodies(name, &recorded["body"], &ours);
        }
    }

    async fn send(&self, name: &str, request: &Value) -> reqwest::Response {
        let method = request["method"].as_str().unwrap().parse().unwrap();
        let path = self.path(request["path"].as_str().unwrap());
        let mut sent = self.client.request(method, format!("{}{path}", self.lab.url()));
        sent = sent.header("User-Agent", "Python-urllib/3.13");
        for (header, key) in [("Accept", "accept"), ("Content-Type", "contentType")] {
            if let Some(value) = request[key].as_str() {
                sent = sent.header(header, value);
            }
        }
        if name != "unauthorized-401" {
            sent = sent.bearer_auth("admin-token");
        }
        if !request["body"].is_null() {
            sent = sent.body(self.of_this_run(&request["body"]).to_string());
        }
        sent.send().await.unwrap()
    }

    /// The path with this run's revision.
    fn path(&self, path: &str) -> String {
        let Some((before, after)) = path.split_once("resourceVersion=") else {
            return path.to_owned();
        };
        let (revision, rest) = after.split_once('&').unwrap();
        let revision: u64 = revision.parse().unwrap();
        let revision = self.revisions.get(&revision).copied().unwrap_or(revision);
        format!("{before}resourceVersion={revision}&{rest}")
    }

    /// A recorded body with this run's uids and revisions.
    fn of_this_run(&self, body: &Value) -> Value {
        let mut body = body.clone();
        if let Some(uid) = body.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned) {
            body["metadata"]["uid"] = json!(self.uids[&uid]);
        }
        if let Some(revision) = body.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            body["metadata"]["resourceVersion"] = json!(self.revisions[&revision.parse().unwrap()].to_string());
        }
        body
    }

    /// Reads the events of a watch while what the recording saw happens.
    async fn events(&self, name: &str, response: &mut reqwest::Response, count: usize) -> Vec<Value> {
        if name == "watch" {
            self.happen_while_watched().await;
        }
        let (mut buffer, mut events) = (Vec::new(), Vec::new());
        while events.len() < count {
            if name == "watch" && events.len() == count - 1 {
                // The recorded server sends a bookmark when the time of the watch is nearly over.
                self.lab.send_bookmarks();
            }
            buffer.extend(response.chunk().await.unwrap().expect("the watch ended early"));
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                events.push(serde_json::from_slice(&line).unwrap());
            }
        }
        self.lab.drop_watches();
        while let Some(rest) = response.chunk().await.unwrap() {
            assert!(rest.is_empty(), "{name}: more events than recorded");
        }
        events
    }

    /// What another client did during the recorded watch.
    async fn happen_while_watched(&self) {
        let path = "/apis/multinic.example.com/v1alpha1/namespaces/multinic-system/openstackconfigs/applied";
        let touch = json!({
            "method": "PATCH", "path": path, "contentType": "application/merge-patch+json",
            "body": {"metadata": {"labels": {"touched": "yes"}}},
        });
        assert_eq!(self.send("touch", &touch).await.status(), 200);
        assert_eq!(
            self.send("delete", &json!({"method": "DELETE", "path": path}))
                .await
                .status(),
            200
        );
    }

    fn compare(&mut self, name: &str, recorded: &[Value], ours: &[Value]) {
        assert_eq!(recorded.len(), ours.len(), "{name}");
        for (recorded, ours) in recorded.iter().zip(ours) {
            let mut recorded = recorded.clone();
            let mut ours = ours.clone();
            if name == "watch-expired-410" {
                // The message names the oldest revision that is known, which is of one run.
                assert_eq!(
                    ours["object"]["message"].as_str().unwrap().split_once(" (").unwrap().0,
                    "too old resource version: 1"
                );
                ours["object"]["message"] = json!("");
                recorded["object"]["message"] = json!("");
            }
            self.same(name, "", &recorded, &ours);
        }
    }

    fn compare_bodies(&mut self, name: &str, recorded: &Value, ours: &Value) {
        match name {
            // Another build: what says which Kubernetes it is must agree.
            "version" => {
                for key in [
                    "major",
                    "minor",
                    "emulationMajor",
                    "emulationMinor",
                    "minCompatibilityMajor",
                    "minCompatibilityMinor",
                ] {
                    assert_eq!(recorded[key], ours[key]);
                }
                assert!(
                    ours["gitVersion"]
                        .as_str()
                        .unwrap()
                        .starts_with(recorded["gitVersion"].as_str().unwrap())
                );
            }
            "discovery-api" => compare_discovery(recorded, ours),
            _ => self.same(name, "", recorded, ours),
        }
    }

    /// Whether two values mean the same.
    fn same(&mut self, name: &str, path: &str, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => {
                let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
                let (mut a, mut b) = (keys(recorded), keys(ours));
                a.sort();
                b.sort();
                assert_eq!(a, b, "{name}: the keys of {path}");
                for (key, value) in recorded {
                    self.same(name, &format!("{path}.{key}"), value, &ours[key]);
                }
            }
            (Value::Array(recorded), Value::Array(ours)) => {
                let (recorded, ours) = (in_one_order(path, recorded), in_one_order(path, ours));
                assert_eq!(recorded.len(), ours.len(), "{name}: the length of {path}: {ours:?}");
                for (index, (recorded, ours)) in recorded.iter().zip(&ours).enumerate() {
                    self.same(name, &format!("{path}[{index}]"), recorded, ours);
                }
            }
            (Value::String(recorded), Value::String(ours)) => self.same_text(name, path, recorded, ours),
            _ => assert_eq!(recorded, ours, "{name}: {path}"),
        }
    }

    fn same_text(&mut self, name: &str, path: &str, recorded: &str, ours: &str) {
        let last = path.rsplit('.').next().unwrap();
        match last {
            "uid" => assert_eq!(
                self.uids.entry(recorded.to_owned()).or_insert_with(|| ours.to_owned()),
                ours,
                "{name}: {path}"
            ),
            "resourceVersion" => {
                let (recorded, ours) = (recorded.parse().unwrap(), ours.parse().unwrap());
                let known = *self.revisions.entry(recorded).or_insert(ours);
                assert_eq!(known, ours, "{name}: {path}: recorded as {recorded}");
            }
            // A token names a revision and a place, which only its own server reads.
            "continue" => assert_eq!(recorded.is_empty(), ours.is_empty(), "{name}: {path}"),
            "name" if name == "event-create" && path == ".metadata.name" => {
                assert!(
                    ours.starts_with("sample-") && ours.len() == recorded.len(),
                    "{name}: {ours}"
                );
            }
            "creationTimestamp" | "deletionTimestamp" | "time" | "lastTransitionTime"
                if recorded.starts_with("2026-11-22") =>
            {
                assert_eq!(ours.len(), recorded.len(), "{name}: {path}: {ours}");
            }
            _ if path.starts_with(".rows") && recorded.ends_with('s') && path.ends_with("cells[2]") => {
                // An age, in whole seconds.
                assert!(
                    ours.trim_end_matches('s').parse::<u32>().is_ok(),
                    "{name}: {path}: {ours}"
                );
            }
            _ => assert_eq!(recorded, ours, "{name}: {path}"),
        }
    }
}

/// Managed fields are sorted by their times first: in the recording they are all of one second, here perhaps of two.
fn in_one_order(path: &str, list: &[Value]) -> Vec<Value> {
    let mut list = list.to_vec();
    if path.ends_with(".managedFields") {
        let rank = |entry: &Value| ["operation", "manager", "subresource"].map(|key| entry[key].to_string());
        list.sort_by_key(rank);
    }
    list
}

/// This server has a part of the recorded resources, each as recorded but for the subresources it does not have.
fn compare_discovery(recorded: &Value, ours: &Value) {
    let resources = |body: &Value| -> BTreeMap<String, Value> {
        let list = body["items"][0]["versions"][0]["resources"].as_array().unwrap().iter();
        list.map(|resource| (resource["resource"].as_str().unwrap().to_owned(), resource.clone()))
            .collect()
    };
    let (all, ours_all) = (resources(recorded), resources(ours));
    let names: Vec<&String> = ours_all.keys().collect();
    assert_eq!(
        names,
        [
            "configmaps",
            "events",
            "namespaces",
            "persistentvolumeclaims",
            "secrets",
            "serviceaccounts",
            "services"
        ]
    );
    for (name, ours) in &ours_all {
        let mut recorded = all[name].clone();
        if let Some(subresources) = recorded["subresources"].as_array_mut() {
            subresources.retain(|subresource| subresource["subresource"] == "status");
        }
        let map = recorded.as_object_mut().unwrap();
        map.retain(|key, value| !(key == "subresources" && (value.is_null() || value == &json!([]))));
        assert_eq!(*ours, recorded, "{name}");
    }
    let rest = |body: &Value| {
        let mut body = body.clone();
        body["items"][0]["versions"][0]["resources"] = json!([]);
        body
    };
    assert_eq!(rest(recorded), rest(ours));
}

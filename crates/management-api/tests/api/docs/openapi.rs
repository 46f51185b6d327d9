//! `docs/openapi.json`.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{api::Api, database::TestDatabase};

fn committed() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")).unwrap_or_default()
}

#[test]
fn the_committed_contract_is_the_programs() {
    let current = multinic_management_api::http::openapi().to_pretty_json().unwrap();
    assert!(
        committed().trim_end() == current,
        "docs/openapi.json is out of date: run `make generate`"
    );
}

#[tokio::test]
async fn the_server_shows_the_committed_contract() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let committed: Value = serde_json::from_str(&committed()).unwrap();
    assert_eq!(api.get("/openapi.json").await.json, committed);
}

#[test]
fn every_reference_leads_somewhere() {
    let document: Value = serde_json::from_str(&committed()).unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                references.push(reference.clone());
            }
            map.values().for_each(|value| collect(value, references));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

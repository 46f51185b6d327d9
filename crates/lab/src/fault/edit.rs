//! Answers that are well-formed and wrong.

use serde_json::{Map, Value, json};

use super::Fault;
use crate::net::{Reply, Request};

/// Changes the answer if this is a fault of its content and the answer is a JSON object.
pub(super) fn apply(fault: &Fault, request: &Request, reply: &mut Reply) {
    let change: &dyn Fn(&mut Value) = match fault {
        Fault::OmitItems { count } => &|body| on_list(body, |items| drop(items.drain(..(*count).min(items.len())))),
        Fault::EmptyList => &|body| on_list(body, Vec::clear),
        Fault::MissingKey(key) => &|body| remove_key(body, key),
        Fault::LoopingPages => &|body| loop_back(body, request),
        Fault::Edit(change) => &**change,
        _ => return,
    };
    if let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) {
        change(&mut body);
        reply.body = body.to_string().into_bytes();
    }
}

/// The collection of a list answer: the first key whose value is a list and that is not itself the links.
fn collection(body: &Map<String, Value>) -> Option<String> {
    let lists = body
        .iter()
        .filter(|(key, value)| value.is_array() && !key.ends_with("_links"));
    lists.map(|(key, _)| key.clone()).next()
}

fn on_list(body: &mut Value, change: impl FnOnce(&mut Vec<Value>)) {
    let Some(object) = body.as_object_mut() else { return };
    let Some(key) = collection(object) else { return };
    object.remove(&format!("{key}_links"));
    if object.contains_key("nextCursor") {
        object.insert("nextCursor".to_owned(), Value::Null);
    }
    if let Some(items) = object.get_mut(&key).and_then(Value::as_array_mut) {
        change(items);
    }
}

fn remove_key(body: &mut Value, key: &str) {
    let Some(object) = body.as_object_mut() else { return };
    if object.remove(key).is_some() {
        return;
    }
    for item in object.values_mut() {
        match item {
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| drop(item.as_object_mut().map(|item| item.remove(key)))),
            Value::Object(_) => remove_key(item, key),
            _ => {}
        }
    }
}

fn loop_back(body: &mut Value, request: &Request) {
    let Some(object) = body.as_object_mut() else { return };
    let Some(key) = collection(object) else { return };
    if object.contains_key("nextCursor") {
        object.insert("nextCursor".to_owned(), "again".into());
        return;
    }
    let host = request.header("host").unwrap_or("127.0.0.1");
    let href = format!("http://{host}{}", request.target);
    object.insert(format!("{key}_links"), json!([{"rel": "next", "href": href}]));
}

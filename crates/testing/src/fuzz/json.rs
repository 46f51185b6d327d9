//! Mutations that keep JSON well-formed: another type, a lost key, an item twice.

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

/// `seed` with one to three values changed; `None` if it is not JSON.
pub(super) fn mutate(seed: &[u8], random: &mut StdRng) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(seed).ok()?;
    for _ in 0..random.random_range(1..=3) {
        change_somewhere(&mut document, random);
    }
    serde_json::to_vec(&document).ok()
}

/// Walks down at random and changes where it stops.
fn change_somewhere(value: &mut Value, random: &mut StdRng) {
    let stop = random.random_ratio(1, 4);
    match value {
        Value::Object(map) if !map.is_empty() && !stop => {
            let at = random.random_range(0..map.len());
            let Some(key) = map.keys().nth(at).cloned() else { return };
            match random.random_range(0..8) {
                0 => drop(map.remove(&key)),
                1 => {
                    let moved = map.remove(&key).unwrap_or_default();
                    drop(map.insert(key.to_uppercase(), moved));
                }
                _ => change_somewhere(&mut map[&key], random),
            }
        }
        Value::Array(items) if !items.is_empty() && !stop => {
            let at = random.random_range(0..items.len());
            match random.random_range(0..8) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change_somewhere(&mut items[at], random),
            }
        }
        value => *value = changed(value, random),
    }
}

fn changed(value: &Value, random: &mut StdRng) -> Value {
    if let (Value::String(text), true) = (value, random.random()) {
        return changed_text(text, random).into();
    }
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1.5e300),
        json!(""),
        json!("\u{0}\u{202e}\n"),
        json!([]),
        json!({}),
        json!([value]),
        json!({ "a": value }),
    ];
    values.choose(random).cloned().unwrap_or_default()
}

fn changed_text(text: &str, random: &mut StdRng) -> String {
    let at = random.random_range(0..=text.chars().count());
    let (before, after): (String, String) = (text.chars().take(at).collect(), text.chars().skip(at).collect());
    let parts = [
        "",
        " ",
        "\n",
        "/",
        ":",
        "..",
        "%2f",
        "é",
        "0",
        "A",
        "\u{7f}",
        &text.repeat(20),
    ];
    let part = parts.choose(random).copied().unwrap_or_default();
    match random.random_range(0..3) {
        0 => before + part,
        1 => format!("{before}{part}{}", after.chars().skip(1).collect::<String>()),
        _ => format!("{before}{part}{after}"),
    }
}

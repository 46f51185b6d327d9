//! YAML as it comes from people: bounded in size and depth, errors with a line and without the text around it.

use serde_json::Value;

/// YAML 1.2 booleans (a VM may be called `no`); no snippets, which could show a secret that somebody put in the wrong place.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! { with_snippet: false, strict_booleans: true }
}

/// Exactly one document.
pub(crate) fn one_document(text: &str, max_bytes: usize) -> Result<Value, String> {
    bounded(text, max_bytes)?;
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| error.to_string())
}

/// Any number of documents; empty ones are dropped.
pub(crate) fn documents(text: &str, max_bytes: usize) -> Result<Vec<Value>, String> {
    bounded(text, max_bytes)?;
    let documents: Vec<Option<Value>> =
        serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| error.to_string())?;
    Ok(documents
        .into_iter()
        .flatten()
        .filter(|value| !value.is_null())
        .collect())
}

fn bounded(text: &str, max_bytes: usize) -> Result<(), String> {
    if text.len() > max_bytes {
        return Err(format!("{} bytes; it must not be larger than {max_bytes}", text.len()));
    }
    Ok(())
}

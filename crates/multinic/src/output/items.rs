//! Lists for programs, written item by item.

use multinic_api_client::ReadError;
use serde::Serialize;
use serde_json::Value;

use crate::{cli::OutputFormat, failure::Failure};

/// A JSON or YAML list under way.
#[derive(Debug)]
pub struct Items {
    format: OutputFormat,
    is_empty: bool,
}

impl Items {
    /// An empty list; a table is none.
    pub const fn new(format: OutputFormat) -> Self {
        Self { format, is_empty: true }
    }

    /// The text that the next items add.
    pub fn add(&mut self, items: &[Value]) -> Result<String, Failure> {
        items.iter().map(|item| self.item(item)).collect()
    }

    fn item(&mut self, item: &Value) -> Result<String, Failure> {
        let is_first = std::mem::replace(&mut self.is_empty, false);
        if self.format == OutputFormat::Yaml {
            return yaml(&[item]);
        }
        let text = serde_json::to_string_pretty(item).map_err(Failure::failed)?;
        let begin = if is_first { "[" } else { "," };
        Ok(format!("{begin}\n  {}", text.replace('\n', "\n  ")))
    }

    /// The text that ends the list.
    pub const fn end(&self) -> &'static str {
        match (self.format, self.is_empty) {
            (_, true) => "[]\n",
            (OutputFormat::Yaml, false) => "",
            _ => "\n]\n",
        }
    }
}

/// One value as JSON or YAML, with a newline at its end.
pub fn whole(value: &Value, format: OutputFormat) -> Result<String, Failure> {
    if format == OutputFormat::Yaml {
        return yaml(value);
    }
    let text = serde_json::to_string_pretty(value).map_err(Failure::failed)?;
    Ok(text + "\n")
}

/// One of many values: a line of JSON, or a YAML document.
pub fn document(value: &Value, format: OutputFormat) -> Result<String, Failure> {
    if format == OutputFormat::Yaml {
        return Ok(format!("---\n{}", yaml(value)?));
    }
    Ok(format!("{value}\n"))
}

fn yaml(value: &impl Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::failed(error.to_string()))
}

/// Looks into an item.
pub fn view<T: serde::de::DeserializeOwned>(item: Value) -> Result<T, Failure> {
    serde_json::from_value(item).map_err(|error| {
        let reason = multinic_api_client::printable(&error.to_string());
        let url = "the server".to_owned();
        Failure::failed(ReadError::Answer { url, reason })
    })
}

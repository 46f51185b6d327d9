//! A list's query: filters, fields and paging.

use std::collections::BTreeMap;

use super::{
    Fail,
    resource::{Resource, boolean},
};
use crate::net::Request;

/// A checked query.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// By name; the values of one filter are alternatives.
    pub filters: BTreeMap<String, Vec<String>>,
    /// `fields=`, if there were any.
    pub fields: Option<Vec<String>>,
    /// At most so many; `None` and zero are no limit.
    pub limit: Option<usize>,
    /// The id after (or before) which the list goes on. Only looked at with a limit.
    pub marker: Option<String>,
    /// Backwards from the marker, or from the end.
    pub reverse: bool,
}

impl Query {
    /// Reads and checks the query of a list of `R`.
    pub fn parse<R: Resource>(request: &Request) -> Result<Self, Fail> {
        let mut query = Self::default();
        let (mut sort_keys, mut sort_dirs) = (Vec::new(), Vec::new());
        for (key, value) in request.query() {
            match key.as_str() {
                "fields" => query.fields.get_or_insert_default().push(value),
                "limit" => query.limit = limit(&value)?,
                // An empty marker is none.
                "marker" => query.marker = Some(value).filter(|marker| !marker.is_empty()),
                "page_reverse" => query.reverse = boolean(&value).unwrap_or(false),
                "sort_key" => sort_keys.push(value),
                "sort_dir" => sort_dirs.push(value),
                _ => query.filters.entry(key).or_default().push(value),
            }
        }
        check_sorting(request, &sort_keys, &sort_dirs)?;
        query.check_filters::<R>(request)?;
        Ok(query)
    }

    fn check_filters<R: Resource>(&self, request: &Request) -> Result<(), Fail> {
        let unknown: Vec<_> = self
            .filters
            .keys()
            .map(String::as_str)
            .filter(|key| !R::FILTERS.contains(key))
            .collect();
        if let Some(first) = unknown.first() {
            if R::NOT_SIMULATED.contains(first) {
                return Err(Fail::not_simulated(request));
            }
            let names = unknown.join("', '");
            return Err(Fail::bad_request(
                "HTTPBadRequest",
                format!("['{names}'] is invalid attribute for filtering"),
            ));
        }
        for (key, values) in &self.filters {
            if R::BOOLEANS.contains(&key.as_str())
                && let Some(bad) = values.iter().find(|value| boolean(value).is_none())
            {
                let message = format!("Invalid input for operation: '{bad}' cannot be converted to boolean.");
                return Err(Fail::bad_request("InvalidInput", message));
            }
            R::check(key, values)?;
        }
        Ok(())
    }
}

/// Sorted by id, as every page is anyway, or not at all.
fn check_sorting(request: &Request, keys: &[String], dirs: &[String]) -> Result<(), Fail> {
    if keys.len() != dirs.len() {
        let message = "The number of sort_keys and sort_dirs must be same".to_owned();
        return Err(Fail::bad_request("HTTPBadRequest", message));
    }
    if keys.iter().zip(dirs).all(|(key, dir)| key == "id" && dir == "asc") {
        return Ok(());
    }
    Err(Fail::not_simulated(request))
}

fn limit(text: &str) -> Result<Option<usize>, Fail> {
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(limit) => Ok(Some(limit)),
        Err(_) => {
            let message = format!("Bad limit request: Limit must be an integer 0 or greater and not '{text}'.");
            Err(Fail::bad_request("BadRequest", message))
        }
    }
}
